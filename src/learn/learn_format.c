/*
 * learn_format.c
 *	  What a fit finds out about texts that are to be generated anew.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "text/json.h"
#include "learn/learn_internal.h"
#include "learn/quantile.h"

/*
 * gs_learn_lengths: the lengths, in bytes or bits, of what is kept of a bytea
 * or bit column; the ends are protected as those of a number.
 */
void
gs_learn_lengths(LaneView *view)
{
	GsColumn   *column = view->column;
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	GsScalar   *lengths;
	int64		n = 0;
	int64		first;
	int64		last;

	lengths = palloc(sizeof(GsScalar) *
					 Max(1, hash_get_num_entries(view->lane->texts)));
	hash_seq_init(&scan, view->lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (!entry->shown)
			lengths[n++].i = Min(column->codec.kind->bits == 1 ?
								 entry->full_len :
								 Max(entry->full_len - 2, 0) / 2, GS_MAX_LENGTH);
	gs_scalars_sort(lengths, n, GS_LANE_INT);
	first = Min(view->threshold - 1, Max(n - 1, 0) / 2);
	last = n - 1 - first;
	column->lengths = palloc0(sizeof(int32) * GS_LENGTHS);
	for (int i = 0; i < GS_LENGTHS && n > 0; i++)
		column->lengths[i] = (int32)
			lengths[first + i * (last - first) / (GS_LENGTHS - 1)].i;
	pfree(lengths);
}

static int
by_hash(const void *a, const void *b)
{
	const GsText *x = *(GsText *const *) a;
	const GsText *y = *(GsText *const *) b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/*
 * A kept text as its format is learned from it: JSON and arrays as jsonb
 * writes them.
 */
static const char *
format_text(GsColumn *column, const char *text, MemoryContext scratch)
{
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (column->codec.type != JSONOID &&
		column->codec.kind->content != GS_CONTENT_ARRAY)
		return text;
	old = MemoryContextSwitchTo(scratch);
	if (column->codec.type == JSONOID)
		text = gs_json_to_jsonb(text);
	else
		text = gs_array_to_json(&column->codec, text);
	MemoryContextSwitchTo(old);
	text = pstrdup(text);
	MemoryContextReset(scratch);
	return text;
}

/*
 * gs_learn_format: learns what the "other" level generates: from the texts
 * that were kept and are no levels, and, so that it never repeats them, from
 * the hashes of all rare ones.
 *
 * view: its lane is sorted; salt: of the lane's hashes.  Sets the column's
 * format, and its lengths if it has such.  Can be cancelled.
 */
void
gs_learn_format(LaneView *view, uint64 salt)
{
	GsColumn   *column = view->column;
	GsContent	content = column->codec.kind->content;
	int64		ntexts = hash_get_num_entries(view->lane->texts);
	FormatValue *values = palloc_extended(sizeof(FormatValue) * Max(ntexts, 1),
										  MCXT_ALLOC_HUGE);
	GsText	  **texts = palloc_extended(sizeof(GsText *) * Max(ntexts, 1),
										MCXT_ALLOC_HUGE);
	uint64	   *rare = palloc_extended(sizeof(uint64) * Max(view->npresent, 1),
									   MCXT_ALLOC_HUGE);
	int64		nrare = 0;
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth shape texts",
												  ALLOCSET_DEFAULT_SIZES);
	int64		next;
	int64		run = 0;
	int			n = 0;

	for (int64 i = 0; i < view->npresent; i = next)
	{
		for (next = i + 1; next < view->npresent; next++)
			if (view->sorted[next].hash != view->sorted[i].hash)
				break;
		if (next - i < view->threshold)
			rare[nrare++] = view->sorted[i].hash;
	}
	if (content == GS_CONTENT_BITS)
		gs_learn_lengths(view);

	/* the order of a hash table is no order: a fit must repeat itself */
	hash_seq_init(&scan, view->lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!entry->shown && (content != GS_CONTENT_JSON ||
							  gs_json_is_plain(entry->text, entry->len)))
			texts[n++] = entry;
	}
	qsort(texts, n, sizeof(GsText *), by_hash);
	for (int i = 0; i < n; i++)
	{
		values[i].text = format_text(column, texts[i]->text, scratch);
		values[i].row = i;
		values[i].count = texts[i]->count;
		/* rows that share it are one witness */
		if (view->counted != NULL)
		{
			while (run < view->npresent &&
				   view->sorted[run].hash < texts[i]->hash)
				run++;
			for (next = run; next < view->npresent &&
				 view->sorted[next].hash == texts[i]->hash;)
				next++;
			values[i].count = next - run;
			run = next;
		}
		values[i].len = strlen(values[i].text);
	}
	MemoryContextDelete(scratch);
	column->format = gs_format_learn(content == GS_CONTENT_JSON ||
									 content == GS_CONTENT_ARRAY ?
									 FORMAT_JSON :
									 FORMAT_TEXT, values, n, view->threshold,
									 gs_codec_max_chars(&column->codec), salt,
									 rare, nrare);
	pfree(rare);
	pfree(texts);
	pfree(values);
}
