/*
 * format_draw.c
 *	  Drawing from formats.
 *
 * Nothing is allocated here but what the output needs, and a string that JSON
 * must escape.  All randomness is that of the given generator, so that a value
 * is a pure function of its cell.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "text/format_internal.h"

#define MUTATIONS		64
#define KNOWN_TRIES		16		/* times a text's tries, as values come */
#define ENDING_TRIES	3		/* last letters to choose from */
#define ENDING_BOOST	8		/* of prose that is long enough */
#define DEFAULT_LENGTH	8		/* of random letters when none was seen */

/* Where a walk through the letters stands. */
typedef struct Walk
{
	uint32		symbol;			/* the last one, 0 at the start */
	uint32		pair;			/* what follows the last two, or none */
} Walk;

/* What of a distribution is the end of a word, which is always first. */
static inline uint32
ending_share(const GsFormat *format, uint32 dist)
{
	const FormatItem *item = &format->items[format->dists[dist]];

	if (format->dists[dist + 1] == format->dists[dist] || item->a != 0)
		return 0;
	return item->cum;
}

/* A letter other than the end. */
static const FormatItem *
pick_letter(const GsFormat *format, uint32 dist, GsRandom *random)
{
	uint32		end = ending_share(format, dist);
	uint32		u = gs_random_u32(random);
	const FormatItem *item;

	if (end == FORMAT_ALL)
		return NULL;
	if (end > 0)
		u = end + 1 + (uint32) ((uint64) u * (FORMAT_ALL - end) >> 32);
	item = format_pick(format, dist, u);
	return item && item->a != 0 ? item : NULL;
}

static Walk
next_letter(const GsFormat *format, const FormatText *text, Walk walk,
			GsRandom *random)
{
	const FormatItem *item = NULL;
	uint32		first = format->dists[text->alphabet];

	if (walk.pair != FORMAT_NONE)
		item = pick_letter(format, walk.pair, random);
	if (item == NULL)
		item = pick_letter(format, text->alphabet + 1 + walk.symbol, random);
	if (item)
	{
		walk.symbol = item->a;
		walk.pair = item->b;
		return walk;
	}
	item = format_pick(format, text->alphabet, gs_random_u32(random));
	walk.symbol = Max(1, item ? item - (format->items + first) : 1);
	walk.pair = FORMAT_NONE;
	return walk;
}

static inline char *
put_letter(char *p, uint32 packed)
{
	do
		*p++ = packed & 255;
	while ((packed >>= 8) != 0);
	return p;
}

/* A novel word. */
static void
draw_word(const GsFormat *format, const FormatText *text,
		  const FormatSlot *slot,
		  GsRandom *random, StringInfo out)
{
	const FormatItem *letters = format->items + format->dists[text->alphabet];
	const FormatItem *length = format_pick(format, slot->rest,
										   gs_random_u32(random));
	uint32		n = length ? length->a : DEFAULT_LENGTH;
	uint32		u = gs_random_u32(random);
	uint32		nupper = u <= slot->lower ? 0 : u <= slot->capital ? 1 : n;
	Walk		walk = {0, FORMAT_NONE};
	char	   *p;

	enlargeStringInfo(out, n * 4);
	p = out->data + out->len;
	for (uint32 i = 0; i < n; i++)
	{
		Walk		next;

		if (text->nsymbols < 2)
			next.symbol = gs_random_below(random, 26);
		else
			next = next_letter(format, text, walk, random);
		if (i == n - 1 && text->nsymbols >= 2)
		{
			uint32		best = 0;

			/* the length is given: look for a letter that words end in */
			for (int try = 0; try < ENDING_TRIES; try++)
			{
				Walk		last = next;
				uint32		end;

				if (try > 0)
					last = next_letter(format, text, walk, random);
				end = ending_share(format, last.pair != FORMAT_NONE ?
								   last.pair :
								   text->alphabet + 1 + last.symbol);
				if (try == 0 || end > best)
				{
					best = end;
					next = last;
				}
			}
		}
		if (text->nsymbols < 2)
			*p++ = (i < nupper ? 'A' : 'a') + next.symbol;
		else
			p = put_letter(p, i < nupper ? letters[next.symbol].b :
						   letters[next.symbol].a);
		walk = next;
	}
	*p = '\0';
	out->len = p - out->data;
}

static inline bool
has_vocabulary(const GsFormat *format, const FormatSlot *slot)
{
	return format->dists[slot->vocabulary] < format->dists[slot->vocabulary + 1];
}

/* A token that is kept verbatim: any of them, or with a share of novel ones. */
static bool
draw_token(const GsFormat *format, const FormatSlot *slot, bool any,
		   GsRandom *random, StringInfo out)
{
	const FormatItem *token;
	uint32		u = gs_random_u32(random);

	if (any && has_vocabulary(format, slot))
	{
		uint32		last = format->dists[slot->vocabulary + 1] - 1;

		u = (uint32) ((uint64) u * format->items[last].cum >> 32);
	}
	token = format_pick(format, slot->vocabulary, u);
	if (token == NULL)
		return false;
	appendBinaryStringInfo(out, format->bytes + token->a, token->b);
	return true;
}

static void
draw_slot(const GsFormat *format, const FormatText *text,
		  const FormatSlot *slot,
		  GsRandom *random, FormatNovelty novelty, StringInfo out)
{
	if (!CLASS_IS_SLOT(slot->class))
	{
		appendStringInfoCharMacro(out, slot->class == CLASS_SENTENCE ? ' ' :
								  slot->class);
		return;
	}
	if ((novelty != FORMAT_SPELT || slot->rest == FORMAT_NONE) &&
		draw_token(format, slot, slot->rest == FORMAT_NONE, random, out))
		return;
	if (CLASS_IS_WORD(slot->class))
		draw_word(format, text, slot, random, out);
	else
	{
		uint32		n = CLASS_LENGTH(slot->class);

		enlargeStringInfo(out, n);
		for (uint32 i = 0; i < n; i++)
			out->data[out->len++] = format_pick(format, slot->rest + i,
												gs_random_u32(random))->a;
		out->data[out->len] = '\0';
	}
}

/*
 * Prose of about a drawn length: once there, it ends at a token that texts end
 * with, or else a quarter further on.
 */
static void
draw_prose(const GsFormat *format, const FormatText *text, GsRandom *random,
		   FormatNovelty novelty, StringInfo out)
{
	const FormatItem *length = format_pick(format, text->lengths,
										   gs_random_u32(random));
	uint32		n = length ? length->a : DEFAULT_LENGTH;
	int			start = out->len;
	uint32		state = 0;

	while (out->len - start < n + n / 4)
	{
		uint32		dist = text->chain + state;
		uint32		end = ending_share(format, dist);
		uint32		u = gs_random_u32(random);
		const FormatItem *item;

		if (out->len - start >= n - n / 8)
		{
			if (u / ENDING_BOOST < end)
				break;
		}
		else if (end > 0 && end < FORMAT_ALL)
			u = end + 1 + (uint32) ((uint64) u * (FORMAT_ALL - end) >> 32);
		item = format_pick(format, dist, u);
		if (item == NULL || item->a == 0)
			break;
		state = item->a;
		draw_slot(format, text, &format->slots[text->prose + state - 1],
				  random,
				  novelty, out);
	}
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->len--;
	out->data[out->len] = '\0';
}

/* Nothing is known but lengths. */
static void
draw_letters(const GsFormat *format, const FormatText *text, GsRandom *random,
			 StringInfo out)
{
	const FormatItem *length = format_pick(format, text->lengths,
										   gs_random_u32(random));
	uint32		n = length ? length->a : DEFAULT_LENGTH;

	for (uint32 i = 0; i < n; i++)
		appendStringInfoCharMacro(out, 'a' + gs_random_below(random, 26));
}

/*
 * Whether a template has a word of a vocabulary and digits, so that to change
 * the digits is enough; how many places vary.
 */
static bool
is_numbered(const GsFormat *format, const FormatItem *template, int *nslots)
{
	const FormatSlot *slot = format->slots + template->b;
	bool		word = false;
	bool		digits = false;

	*nslots = 0;
	for (const char *class = format->bytes + template->a; *class; class++)
	{
		if (!CLASS_IS_SLOT((uint8) *class))
			continue;
		word |= CLASS_IS_WORD(slot->class) && has_vocabulary(format, slot);
		digits |= slot->class > CLASS_DIGITS && slot->class < CLASS_CODE;
		slot++;
		(*nslots)++;
	}
	return word && digits;
}

/*
 * Whether a place never varies.
 */
static bool
is_literal(const GsFormat *format, const FormatSlot *slot)
{
	return slot->rest == FORMAT_NONE &&
		format->dists[slot->vocabulary + 1] == format->dists[slot->vocabulary] + 1;
}

/*
 * A place of a template that is to be filled in another way than usual: a word
 * by one of any of the n places that vary, digits by any of them, and, to
 * lengthen it, one more.
 */
static void
draw_mixed(const GsFormat *format, const FormatText *text,
		   const FormatItem *template, int n, int k, bool longer,
		   GsRandom *random, StringInfo out)
{
	const FormatSlot *slots = format->slots + template->b;
	const FormatSlot *slot = &slots[k];

	if (slot->class > CLASS_DIGITS && slot->class < CLASS_CODE)
	{
		for (int i = CLASS_LENGTH(slot->class) + longer; i > 0; i--)
			appendStringInfoCharMacro(out, '0' + gs_random_below(random, 10));
		return;
	}
	if (CLASS_IS_WORD(slot->class) && !longer && !is_literal(format, slot))
	{
		const FormatSlot *other = &slots[gs_random_below(random, n)];

		if (CLASS_IS_WORD(other->class) && has_vocabulary(format, other) &&
			!is_literal(format, other))
			slot = other;
	}
	draw_slot(format, text, slot, random, FORMAT_KNOWN, out);
}

static void
draw_template(const GsFormat *format, const FormatText *text,
			  const FormatItem *template, const GsToken *known,
			  GsRandom *random, FormatNovelty novelty, StringInfo out)
{
	const FormatSlot *slots = format->slots + template->b;
	int			n;
	int			k = 0;
	bool		numbered = is_numbered(format, template, &n);

	for (const uint8 *class = (const uint8 *) format->bytes + template->a;
		 *class; class++)
	{
		if (!CLASS_IS_SLOT(*class))
		{
			appendStringInfoCharMacro(out, *class);
			continue;
		}
		if (known != NULL && known[k].text != NULL)
			appendBinaryStringInfo(out, known[k].text, known[k].len);
		else if (novelty == FORMAT_MIXED || novelty == FORMAT_LONGER)
			draw_mixed(format, text, template, n, k,
					   novelty == FORMAT_LONGER && numbered, random, out);
		else
			draw_slot(format, text, &slots[k], random, novelty, out);
		k++;
	}
}

/*
 * Append a string, rare or not; known: what is known of it, or NULL.
 */
void
gs_format_draw_once(const GsFormat *format, const FormatText *text,
					const FormatKnown *known, GsRandom *random,
					FormatNovelty novelty, StringInfo out)
{
	const FormatItem *template = NULL;
	uint32		templates = text->templates;
	int			start = out->len;
	int			max_chars = format->head.max_chars;

	if (known != NULL)
		template = known->template;
	else if (format->dists[templates] < format->dists[templates + 1])
		template = format_pick(format, templates, gs_random_u32(random));
	if (template)
		draw_template(format, text, template, known ? known->token : NULL,
					  random, novelty, out);
	else if (text->nprose > 0)
		draw_prose(format, text, random, novelty, out);
	else
		draw_letters(format, text, random, out);

	if (format->head.root == FORMAT_TEXT && max_chars > 0 &&
		out->len - start > max_chars)
	{
		int			keep = pg_mbcharcliplen(out->data + start,
											out->len - start, max_chars);

		if (keep < out->len - start)
		{
			while (keep > 0 && out->data[start + keep - 1] == ' ')
				keep--;
			out->len = start + keep;
			out->data[out->len] = '\0';
		}
	}
	gs_check_set(text->check, out->data + start, out->len - start);
}

/*
 * Replace one letter or digit of the string from start on by another of its
 * class.  Returns false if there is none.
 */
static bool
mutate(const GsFormat *format, const FormatText *text, GsRandom *random,
	   int start,
	   StringInfo out)
{
	int			encoding = GetDatabaseEncoding();
	int			npositions = 0;
	int			position = 0;
	int			at = 0;
	int			len = 0;
	char		letter[8];
	int			letter_len = 1;
	unsigned char c = 0;

	/* count the places, then go to one of them */
	for (int pass = 0; pass < 2; pass++)
	{
		if (pass == 1)
		{
			if (npositions == 0)
				return false;
			position = gs_random_below(random, npositions);
		}
		for (at = start; at < out->len; at += len)
		{
			c = out->data[at];
			len = Min(pg_encoding_mblen(encoding, out->data + at),
					  out->len - at);
			if (!IS_HIGHBIT_SET(c) && !(c >= '0' && c <= '9') &&
				!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
				continue;
			if (pass == 0)
				npositions++;
			else if (position-- == 0)
				break;
		}
	}
	if (c >= '0' && c <= '9')
		letter[0] = '0' + gs_random_below(random, 10);
	else if (c >= 'a' && c <= 'z')
		letter[0] = 'a' + gs_random_below(random, 26);
	else if (c >= 'A' && c <= 'Z')
		letter[0] = 'A' + gs_random_below(random, 26);
	else if (text->nsymbols < 2)
		return false;
	else
	{
		const FormatItem *item = format->items + format->dists[text->alphabet];

		item += 1 + gs_random_below(random, text->nsymbols - 1);
		letter_len = put_letter(letter, item->a) - letter;
	}
	enlargeStringInfo(out, letter_len);
	memmove(out->data + at + letter_len, out->data + at + len,
			out->len - at - len + 1);
	memcpy(out->data + at, letter, letter_len);
	out->len += letter_len - len;
	return true;
}

/*
 * Whether a text of which something is known has a place that is not.
 */
static bool
some_vary(const GsFormat *format, const FormatKnown *known)
{
	int			k = 0;

	if (known->template == NULL || known->token == NULL)
		return true;
	for (const char *class = format->bytes + known->template->a; *class; class++)
		if (CLASS_IS_SLOT((uint8) *class) && known->token[k++].text == NULL)
			return true;
	return false;
}

/*
 * Append a string that is not a rare source value, if there is any other;
 * known: what is known of it, or NULL.
 */
void
gs_format_draw_text(const GsFormat *format, const FormatText *text,
					const FormatKnown *known, GsRandom *random, StringInfo out)
{
	int			start = out->len;
	uint32		tries = text->tries;
	bool		vary = known == NULL || some_vary(format, known);

	for (FormatNovelty novelty = FORMAT_KNOWN; novelty <= FORMAT_SPELT;
		 novelty++)
	{
		uint32		n = novelty == FORMAT_KNOWN && tries == FORMAT_TRIES ?
			KNOWN_TRIES * tries : tries;


		for (uint32 i = 0; i < n; i++)
		{
			/* what is known cannot be kept where nothing else varies */
			if (novelty == FORMAT_SPELT || (i > 0 && !vary))
				known = NULL;
			out->len = start;
			out->data[start] = '\0';
			gs_format_draw_once(format, text, known, random, novelty, out);
			if (!gs_format_knows(format, out->data + start,
								 out->len - start))
				return;
			CHECK_FOR_INTERRUPTS();
		}
	}
	for (uint32 i = 0; i < MUTATIONS * tries / FORMAT_TRIES; i++)
	{
		if (!mutate(format, text, random, start, out))
			return;
		gs_check_set(text->check, out->data + start, out->len - start);
		if (!gs_format_knows(format, out->data + start, out->len - start))
			return;
	}
}

/*
 * Append one generated value: text, or JSON text as jsonb writes it.
 *
 * It is no rare source value unless all draws hit the filter: for text, as
 * they come, then with words and digits mixed, then with more digits, then
 * with every slot spelt anew, then changed letter by letter; for JSON, as they come, each string in it being no rare one either.
 */
void
gs_format_draw(const GsFormat *format, GsRandom *random, StringInfo out)
{
	int			start = out->len;

	if (format->head.root == FORMAT_TEXT)
	{
		gs_format_draw_text(format, &format->texts[0], NULL, random, out);
		return;
	}
	for (uint32 i = 0; i < format->head.tries; i++)
	{
		out->len = start;
		gs_format_draw_json(format, NULL, NULL, random, out);
		if (!gs_format_knows(format, out->data + start, out->len - start))
			break;
	}
}
