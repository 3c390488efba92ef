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
#include "learn/learn_slots.h"

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

/*
 * gs_slots_count: counts the tokens of the texts of a lane that are no levels.
 * Returns the rows whose text is of the form.  Can be cancelled.
 *
 * count: [nslots], filled
 */
int64
gs_slots_count(const GsLane *lane, int threshold, const GsSlotReader *reader,
			   GsSlotCount *count)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(TokenCount),
	.hcxt = CurrentMemoryContext};
	HTAB	   *tokens = hash_create("gensynth tokens", 1024, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	TokenCount *at;
	int64		rows = 0;

	hash_seq_init(&scan, lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		GsToken		token[GS_MAX_SLOTS];

		CHECK_FOR_INTERRUPTS();
		if (entry->shown || entry->len > GS_MAX_LEVEL_BYTES ||
			!reader->read(reader->form, entry->text, entry->len, token))
			continue;
		rows += entry->count;
		for (int k = 0; k < reader->nslots; k++)
		{
			uint64		hash = gs_format_hash(token[k].text, token[k].len,
											  lane->salt + k);
			bool		found;

			at = hash_search(tokens, &hash, HASH_ENTER, &found);
			if (!found)
				at->rows = 0;
			at->slot = k;
			at->rows += entry->count;
		}
	}
	memset(count, 0, sizeof(GsSlotCount) * reader->nslots);
	hash_seq_init(&scan, tokens);
	while ((at = hash_seq_search(&scan)) != NULL)
	{
		count[at->slot].ntokens++;
		count[at->slot].most = Max(count[at->slot].most, at->rows);
		if (at->rows < threshold)
			continue;
		count[at->slot].nlevels++;
		count[at->slot].covered += at->rows;
	}
	hash_destroy(tokens);
	return rows;
}

/*
 * gs_slot_is_fixed: whether (nearly) all of so many rows have one token.
 */
bool
gs_slot_is_fixed(const GsSlotCount *count, int64 rows)
{
	return count->most > SLOT_MOST * rows;
}

/*
 * gs_slot_tells: whether a slot is filled by few tokens, which may go with
 * other columns.
 */
bool
gs_slot_tells(const GsSlotCount *count, int64 rows)
{
	return count->nlevels >= 2 && count->nlevels <= SLOT_LEVELS &&
		count->covered >= SLOT_SHARE * rows && !gs_slot_is_fixed(count, rows);
}

/*
 * gs_slots_fill: fills the lanes of members whose places are slots: NULL where a
 * text is a level, or not of the form.
 */
void
gs_slots_fill(GsDocuments *slots, const LaneView *view,
			  const GsSlotReader *reader)
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
			reader->read(reader->form, held->text, held->len, token);

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

/* A text whose form is that of a format. */
typedef struct CommonForm
{
	const GsFormat *format;
	int			common;
} CommonForm;

static bool
read_common(const void *form, const char *text, int len, GsToken *token)
{
	const CommonForm *common = form;

	return gs_format_tokens(common->format, common->common, text, len, token);
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
	GsSlotCount count[GS_MAX_SLOTS];
	CommonForm	form = {.format = column->format};
	GsSlotReader reader = {.form = &form,.read = read_common};
	int64		rows;

	if (column->codec.kind->content != GS_CONTENT_TEXT || column->context ||
		column->kind != NULL || column->key != NULL || column->format == NULL)
		return NULL;
	form.common = gs_format_common(column->format);
	reader.nslots = gs_format_slots(column->format, form.common);
	/* a slot that is the whole text tells what the text does */
	if (reader.nslots < 2)
		return NULL;
	rows = gs_slots_count(view->lane, view->threshold, &reader, count);
	slots = palloc0(sizeof(GsDocuments));
	slots->member = palloc0(sizeof(GsColumn) * GS_MAX_SLOT_MEMBERS);
	slots->lane = palloc0(sizeof(GsLane) * GS_MAX_SLOT_MEMBERS);
	for (int k = 0; k < reader.nslots &&
		 slots->nmembers < GS_MAX_SLOT_MEMBERS; k++)
		if (gs_slot_tells(&count[k], rows))
			gs_member_init(&slots->member[slots->nmembers++], column, k,
						   JSON_STRING);
	if (slots->nmembers == 0)
		return NULL;
	gs_slots_fill(slots, view, &reader);
	return slots;
}
