/*
 * format_combine.c
 *	  Texts that are nothing but combinations: bold-ant, calm-ant, R07-S3-B2.
 *
 * Where each place of a template has few tokens, all of which enough rows hold,
 * and most of their combinations are in the source, it says nothing of anybody
 * that one of them comes out, however few rows hold it: it would have come out
 * as likely without them.  To refuse them all would leave nothing to draw.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "text/format_internal.h"

#define COMBINED_SHARE	0.125	/* of the combinations, that the source has */
#define VERBATIM_SHARE	0.90	/* of the texts, whose token in a place enough rows
								 * hold */

/*
 * How many texts a template's tokens make; 0 where it has other tokens.
 */
static double
count_combinations(const GsFormat *format, const FormatItem *template)
{
	const FormatSlot *slot = format->slots + template->b;
	double		n = 1;

	for (const uint8 *class = (const uint8 *) format->bytes + template->a;
		 *class; class++)
	{
		uint32		first;
		uint32		next;

		if (!CLASS_IS_SLOT(*class))
			continue;
		first = format->dists[slot->vocabulary];
		next = format->dists[slot->vocabulary + 1];
		if (next == first ||
			format->items[next - 1].cum < VERBATIM_SHARE * FORMAT_ALL)
			return 0;
		n *= next - first;
		slot++;
	}
	return n;
}

static uint64
token_hash(uint32 slot, const char *text, int len)
{
	return gs_format_hash(text, len, slot);
}

/*
 * Whether a text is of a template's tokens alone.
 *
 * tokens: hashes of what each place holds
 */
static bool
is_combination(const GsFormat *format, const FormatItem *template,
			   HTAB *tokens, const FormatValue *value,
			   const FormatToken *token, int n)
{
	const uint8 *class = (const uint8 *) format->bytes + template->a;
	uint32		slot = template->b;

	for (int i = 0; i < n; i++, class++)
	{
		uint64		hash;

		if (*class != token[i].class)
			return false;
		if (!CLASS_IS_SLOT(*class))
			continue;
		hash = token_hash(slot++, value->text + token[i].start, token[i].len);
		if (hash_search(tokens, &hash, HASH_FIND, NULL) == NULL)
			return false;
	}
	return *class == 0;
}

static HTAB *
create_hashes(void)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(uint64),
	.hcxt = CurrentMemoryContext};

	return hash_create("gensynth combinations", 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * gs_format_combinations: the hashes of the texts that are combinations of
 * tokens, in the current context; NULL where there are no such, or only a small
 * part of the combinations occurs.  Can be cancelled.
 */
HTAB *
gs_format_combinations(const GsFormat *format, const FormatValue *values, int n)
{
	HTAB	   *tokens;
	HTAB	   *found;
	const FormatItem *closed[FORMAT_MAX_TEMPLATES];
	int			nclosed = 0;
	double		possible = 0;
	uint32		dist;

	if (format->head.root != FORMAT_TEXT || format->head.ntexts == 0)
		return NULL;
	dist = format->texts[0].templates;
	for (uint32 i = format->dists[dist]; i < format->dists[dist + 1]; i++)
	{
		double		combinations = count_combinations(format,
													  &format->items[i]);

		if (combinations == 0 || nclosed == FORMAT_MAX_TEMPLATES)
			continue;
		closed[nclosed++] = &format->items[i];
		possible += combinations;
	}
	if (nclosed == 0 || n < COMBINED_SHARE * possible)
		return NULL;
	tokens = create_hashes();
	found = create_hashes();
	for (int t = 0; t < nclosed; t++)
	{
		uint32		slot = closed[t]->b;

		for (const uint8 *class = (const uint8 *) format->bytes + closed[t]->a;
			 *class; class++)
		{
			if (!CLASS_IS_SLOT(*class))
				continue;
			dist = format->slots[slot].vocabulary;
			for (uint32 i = format->dists[dist]; i < format->dists[dist + 1]; i++)
			{
				uint64		hash = token_hash(slot, format->bytes + format->items[i].a,
											  format->items[i].b);

				(void) hash_search(tokens, &hash, HASH_ENTER, NULL);
			}
			slot++;
		}
	}
	for (int i = 0; i < n; i++)
	{
		FormatToken token[FORMAT_MAX_TOKENS];
		int			ntokens = gs_format_classify(values[i].text, values[i].len,
												 token);
		uint64		hash;

		CHECK_FOR_INTERRUPTS();
		for (int t = 0; t < nclosed && ntokens > 0; t++)
		{
			if (!is_combination(format, closed[t], tokens, &values[i], token,
								ntokens))
				continue;
			hash = gs_format_hash(values[i].text, values[i].len,
								  format_salt(&format->head));
			(void) hash_search(found, &hash, HASH_ENTER, NULL);
			break;
		}
	}
	if (hash_get_num_entries(found) < COMBINED_SHARE * possible)
		return NULL;
	return found;
}
