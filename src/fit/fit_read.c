/*
 * fit_read.c
 *	  From a source to the lanes of a sample.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "codec/styles.h"
#include "fit/fit_internal.h"
#include "fit/learnable.h"
#include "worker/progress.h"

/* The share of maintenance_work_mem that the lanes and bins may take. */
#define LANES_SHARE		0.75

/* Rows that are collected before settings are changed, and their bytes. */
#define MAX_WAITING	500
#define MAX_WAITING_BYTES	(1024 * 1024)

/* Reading: a uniform sample by Vitter's algorithm R (ACM TOMS 11, 1985). */
typedef struct Reader
{
	GsSample	sample;
	int64		capacity;
	int64		seen;
	GsRandom	random;
	bool		styled;			/* some values are learned by their text */
	GsCopies   *copies;			/* of a public source's rows; or NULL */
	MemoryContext row_context;

	/* rows that wait for the settings of that text, if styled */
	int			nwaiting;
	MinimalTuple waiting[MAX_WAITING];
	int64		position[MAX_WAITING];	/* in the sample */
	TupleTableSlot *slot;		/* one of them */
	MemoryContext waiting_context;
} Reader;

/*
 * Columns and lanes for the source's result, whose types all have a codec.
 */
static void
prepare_columns(Reader *reader, const GsSource *source, uint64 salt,
				Size texts_budget)
{
	TupleDesc	desc = source->desc;
	GsSample   *sample = &reader->sample;

	sample->ncolumns = desc->natts;
	sample->columns = palloc0(sizeof(GsColumn) * desc->natts);
	sample->lanes = palloc0(sizeof(GsLane) * desc->natts * GS_MAX_PARTS);
	for (int c = 0; c < desc->natts; c++)
	{
		GsColumn   *column = &sample->columns[c];

		gs_learnable_column(source, c, column);
		reader->styled |= column->codec.kind->styled;
		for (int p = 0; p < column->codec.nparts; p++)
			gs_lane_init(&sample->lanes[c * GS_MAX_PARTS + p],
						 column->codec.part[p].lane, salt, texts_budget);
	}
}

/*
 * Bytes of one row of the sample: slots and absent flags, later bins and
 * segments.
 */
static Size
row_bytes(const GsSample *sample)
{
	Size		bytes = sizeof(GsScalar); /* a sorted copy of one lane */

	for (int c = 0; c < sample->ncolumns; c++)
		bytes += 1 + sample->columns[c].codec.nparts *
			(sizeof(GsScalar) + 1 + 3 * sizeof(uint16)) + sizeof(uint16);
	return bytes;
}

static void
put_row(Reader *reader, TupleTableSlot *slot, int64 row)
{
	MemoryContext old = MemoryContextSwitchTo(reader->row_context);

	if (reader->copies != NULL)
		gs_copies_put(reader->copies, slot->tts_values, slot->tts_isnull);
	gs_sample_put(&reader->sample, row, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	MemoryContextReset(reader->row_context);
}

static void
put_waiting(Reader *reader)
{
	int			level = gs_fix_styles();

	for (int i = 0; i < reader->nwaiting; i++)
	{
		ExecStoreMinimalTuple(reader->waiting[i], reader->slot, false);
		slot_getallattrs(reader->slot);
		put_row(reader, reader->slot, reader->position[i]);
	}
	gs_end_settings(level);
	ExecClearTuple(reader->slot);
	MemoryContextReset(reader->waiting_context);
	reader->nwaiting = 0;
}

static void
read_row(TupleTableSlot *slot, void *arg)
{
	Reader	   *reader = arg;
	int64		row = reader->seen++;
	MemoryContext old;

	if (reader->seen % GS_PROGRESS_ROWS == 0)
		gs_progress_done(reader->seen);
	if (row >= reader->capacity)
	{
		/* row is below 2^53, and so uniform enough */
		row = (int64) (gs_random_uniform(&reader->random) * reader->seen);
		if (row >= reader->capacity)
			return;
	}
	if (!reader->styled)
	{
		put_row(reader, slot, row);
		return;
	}
	old = MemoryContextSwitchTo(reader->waiting_context);
	reader->waiting[reader->nwaiting] = ExecCopySlotMinimalTuple(slot);
	MemoryContextSwitchTo(old);
	reader->position[reader->nwaiting++] = row;
	if (reader->nwaiting == MAX_WAITING ||
		MemoryContextMemAllocated(reader->waiting_context, false) >
		MAX_WAITING_BYTES)
		put_waiting(reader);
}

/*
 * An error for a source of too few rows.
 */
static void
report_few(const Reader *reader, const GsSource *source,
		   const FitRequest *request)
{
	int			threshold = (int) request->options.rare_threshold;

	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA),
			 errmsg("%s has " INT64_FORMAT " %s, too few to learn from",
					source->relation != NULL ? source->relation : "source",
					reader->seen, reader->seen == 1 ? "row" : "rows"),
			 reader->seen == 0 || source->relation == NULL ?
			 errhint("It needs at least rare_threshold (%d) rows.", threshold) :
			 errhint("It needs at least rare_threshold (%d) rows.  To copy a look-up table, INSERT INTO ... SELECT * FROM %s; if it says nothing about persons, options => '{\"public\": true}' learns it as it is.",
					 threshold, source->relation)));
}

/*
 * How many columns share the memory for texts: all but numbers, dates and
 * the like, which hardly need any; at least one.
 */
static int
count_texts(TupleDesc desc)
{
	int			n = 0;

	for (int c = 0; c < desc->natts; c++)
		n += !TupleDescAttr(desc, c)->attbyval;
	return Max(n, 1);
}

/*
 * gs_fit_read: reads a source, or as many of its rows as memory and the options
 * allow, in the current context.
 *
 * Sets what of *sample is known by then; adds to *notes.  Errors: a source of
 * too few rows, and those of reading it.
 */
void
gs_fit_read(GsSample *sample, GsSource *source, const FitRequest *request,
			List **notes)
{
	Reader	   *reader = palloc0(sizeof(Reader));
	Size		budget = (Size) maintenance_work_mem * 1024;
	uint64		salt = gs_mix64(request->seed, 0);
	int64		fits;

	reader->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"gensynth row",
												ALLOCSET_DEFAULT_SIZES);
	reader->waiting_context = AllocSetContextCreate(CurrentMemoryContext,
													"gensynth waiting rows",
													ALLOCSET_DEFAULT_SIZES);
	reader->slot = MakeSingleTupleTableSlot(source->desc, &TTSOpsMinimalTuple);
	gs_random_start(&reader->random, salt, 0, 0);
	prepare_columns(reader, source, salt,
					Max(budget * (1 - LANES_SHARE) / count_texts(source->desc),
						32 * 1024));
	if (request->options.public.on)
	{
		reader->copies = gs_copies_begin(reader->sample.columns,
										 reader->sample.ncolumns);
		reader->styled = true;
	}
	fits = Max((int64) (budget * LANES_SHARE / row_bytes(&reader->sample)),
			   1000);
	reader->capacity = source->ordered ? PG_INT64_MAX :
		Min(fits, request->options.max_rows);
	gs_progress_phase(GS_PHASE_READING, 0, gs_source_rows(source));
	gs_source_read(source, read_row, reader);
	put_waiting(reader);
	reader->sample.seen = reader->seen;
	*sample = reader->sample;
	ExecDropSingleTupleTableSlot(reader->slot);
	MemoryContextDelete(reader->waiting_context);
	MemoryContextDelete(reader->row_context);

	if (reader->seen > reader->capacity)
		*notes = lappend(*notes,
						 psprintf("learned from a random sample of " INT64_FORMAT " of " INT64_FORMAT " rows",
								  reader->capacity, reader->seen));
	if (reader->seen > reader->capacity && fits < request->options.max_rows)
		ereport(NOTICE,
				(errmsg("learning from a random sample of " INT64_FORMAT " rows",
						reader->capacity),
				 errhint("More rows do not fit in maintenance_work_mem.")));
	if (reader->seen < request->options.rare_threshold)
		report_few(reader, source, request);
	if (reader->copies != NULL)
	{
		*notes = lappend(*notes, "the source is public: nothing is protected");
		if (reader->seen <= reader->capacity && gs_copies_end(reader->copies))
			*notes = lappend(*notes, "its rows are copied, in their order");
	}
	pfree(reader);
}
