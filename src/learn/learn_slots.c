/*
 * learn_slots.c
 *	  What a fit finds out about the places of texts that are to be made anew.
 *
 * Where nearly all texts have one form, as INV-DE-2024-00017 has, what stands
 * in some of its slots may go with other columns: a country, a year, the sex of
 * who has a first name.  The values of a slot that few others fill become a
 * column of their own, a member, behind those of the table.  The other slots
 * are drawn by themselves.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "column/members.h"
#include "learn/learn_internal.h"
#include "text/slots.h"

#define SLOT_SHARE		0.90	/* of a slot's rows, that have tokens which
								 * enough rows have */
#define SLOT_LEVELS		1000
#define SLOT_MOST		0.99	/* of the rows, that one token may have */

/* A token in a slot, and the rows that have it. */
typedef struct TokenCount
{
	uint64		hash;			/* key */
	int			slot;
	int64		rows;
} TokenCount;

/* What the tokens of a slot are. */
typedef struct SlotCount
{
	int			nlevels;		/* tokens that enough rows have */
	int64		covered;		/* their rows */
	int64		most;			/* of one of them */
} SlotCount;

/*
 * Counts the tokens of all slots.  Returns the rows that are of the common
 * form.
 *
 * count: [nslots], filled
 */
static int64
count_tokens(const LaneView *view, int common, int nslots, SlotCount *count)
{
	const GsFormat *format = view->column->format;
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(TokenCount),
	.hcxt = CurrentMemoryContext};
	HTAB	   *tokens = hash_create("gensynth tokens", 1024, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	TokenCount *at;
	int64		rows = 0;

	hash_seq_init(&scan, view->lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		GsToken		token[GS_MAX_SLOTS];

		CHECK_FOR_INTERRUPTS();
		if (entry->shown || entry->len > GS_MAX_LEVEL_BYTES ||
			!gs_format_tokens(format, common, entry->text, entry->len, token))
			continue;
		rows += entry->count;
		for (int k = 0; k < nslots; k++)
		{
			uint64		hash = gs_format_hash(token[k].text, token[k].len,
											  view->lane->salt + k);
			bool		found;

			at = hash_search(tokens, &hash, HASH_ENTER, &found);
			if (!found)
				at->rows = 0;
			at->slot = k;
			at->rows += entry->count;
		}
	}
	memset(count, 0, sizeof(SlotCount) * nslots);
	hash_seq_init(&scan, tokens);
	while ((at = hash_seq_search(&scan)) != NULL)
		if (at->rows >= view->threshold)
		{
			count[at->slot].nlevels++;
			count[at->slot].covered += at->rows;
			count[at->slot].most = Max(count[at->slot].most, at->rows);
		}
	hash_destroy(tokens);
	return rows;
}

/*
 * Fills the lanes of the members: NULL where a text is a level, or not of the
 * common form.
 */
static void
fill_lanes(GsDocuments *slots, const LaneView *view, int common)
{
	int			n = slots->nmembers;
	Size		budget = view->lane->texts_budget / n;

	for (int m = 0; m < n; m++)
		gs_lane_init(&slots->lane[m], slots->member[m].codec.part[0].lane,
					 view->lane->salt, budget);
	slots->unknown = palloc_extended(Max(view->nrows, 1),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 row = 0; row < view->nrows; row++)
	{
		const GsText *held = is_absent(view->lane, row) ? NULL :
			gs_lane_text(view->lane, view->lane->scalar[row].hash);
		GsToken		token[GS_MAX_SLOTS];
		bool		known = held != NULL && !held->shown &&
			held->len <= GS_MAX_LEVEL_BYTES &&
			gs_format_tokens(view->column->format, common, held->text,
							 held->len, token);

		CHECK_FOR_INTERRUPTS();
		slots->unknown[row] = held == NULL &&
			(!is_absent(view->lane, row) || view->column->impute);
		for (int m = 0; m < n; m++)
		{
			const GsToken *at = &token[slots->member[m].place];
			GsPart		part = {0};
			text	   *value;

			if (!known)
			{
				gs_lane_put(&slots->lane[m], row, row, NULL);
				continue;
			}
			value = cstring_to_text_with_len(at->text, at->len);
			gs_codec_split(&slots->member[m].codec, PointerGetDatum(value),
						   &part);
			gs_lane_put(&slots->lane[m], row, row, &part);
			pfree(value);
		}
	}
}

/*
 * gs_learn_slots: the members of a column of texts whose format is known, to be
 * learned by their lanes, in the current context; NULL: there are none.
 *
 * view: its texts are still there
 */
GsDocuments *
gs_learn_slots(LaneView *view)
{
	const GsColumn *column = view->column;
	GsDocuments *slots;
	SlotCount	count[GS_MAX_SLOTS];
	int64		rows;
	int			common;
	int			nslots;

	if (column->codec.kind->content != GS_CONTENT_TEXT || column->context ||
		column->kind != NULL || column->key != NULL || column->format == NULL)
		return NULL;
	common = gs_format_common(column->format);
	nslots = gs_format_slots(column->format, common);
	/* a slot that is the whole text tells what the text does */
	if (nslots < 2)
		return NULL;
	rows = count_tokens(view, common, nslots, count);
	slots = palloc0(sizeof(GsDocuments));
	slots->member = palloc0(sizeof(GsColumn) * GS_MAX_SLOT_MEMBERS);
	slots->lane = palloc0(sizeof(GsLane) * GS_MAX_SLOT_MEMBERS);
	for (int k = 0; k < nslots && slots->nmembers < GS_MAX_SLOT_MEMBERS; k++)
		if (count[k].nlevels >= 2 && count[k].nlevels <= SLOT_LEVELS &&
			count[k].covered >= SLOT_SHARE * rows &&
			count[k].most <= SLOT_MOST * rows)
			gs_member_init(&slots->member[slots->nmembers++], column, k,
						   JSON_STRING);
	if (slots->nmembers == 0)
		return NULL;
	fill_lanes(slots, view, common);
	return slots;
}
