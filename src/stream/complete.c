/*
 * complete.c
 *	  Rows of a table or query with some columns drawn anew, given the others.
 *
 *	source, as the caller -> encoder -> context of a sampler -> decoders of
 *	the columns to be drawn
 *
 * All other columns come out as they were read.  Rows are taken a batch at a
 * time through a cursor, so memory does not grow with the source; row i of the
 * source is completed the same way for the same seed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "catalog/catalog.h"
#include "codec/datum.h"
#include "encode/encode.h"
#include "column/store.h"
#include "fit/fit.h"
#include "constraint/rules.h"
#include "stream/jsonrow.h"
#include "stream/known.h"
#include "stream/call.h"
#include "table/source.h"

/* What a call asks for. */
typedef struct CompletionCall
{
	const char *source;
	List	   *columns;		/* C strings: to be drawn */
	const char *model;			/* NULL: one is learned for it */
	int64		seed;
	bool		fill_nulls;		/* draws NULLs only, and all of them */
} CompletionCall;

/* A column of the result. */
typedef struct Column
{
	int			at;				/* in the source, from 0; -1: NULL */
	int			c;				/* of the model, to be drawn; -1: kept */
	GsDecoder  *decoder;
} Column;

typedef struct Completion
{
	GsKnown    *made;			/* rows, given what is kept */
	const char *cursor;
	TupleDesc	desc;			/* of the result */
	Column	   *columns;		/* [natts] */
	int			nsource;		/* columns of the source */
	int		   *source_of;		/* [ncolumns of the model] -1: none */
	bool	   *known;			/* [ncolumns of the model] context */
	bool		fill_nulls;
	bool		plain;			/* no row type was named: domains' conditions,
								 * which may be anybody's, are left alone */
	int64		first;			/* rows before the batch at hand */
	int			rows;			/* of it */
	int			at;				/* the next to be given out */
	Datum	   *read;			/* [GS_BATCH][nsource] */
	bool	   *read_nulls;
	Datum	   *values;			/* [GS_BATCH][natts] */
	bool	   *nulls;
	MemoryContext context;		/* what these point to */
} Completion;

static int
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	return -1;
}

/*
 * The columns to be drawn: those named, which the source must have, and
 * those that it computes from them.
 */
static List *
find_targets(const GsSource *source, List *named)
{
	List	   *targets = list_copy(named);
	ListCell   *cell;
	Relation	relation;
	TupleDesc	desc;
	Bitmapset  *drawn = NULL;

	foreach(cell, named)
		if (find_attribute(source->desc, lfirst(cell)) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the source does not exist",
							(char *) lfirst(cell)),
					 errhint("Name columns of the source to be drawn.")));
	if (!OidIsValid(source->relid))
		return targets;
	relation = table_open(source->relid, AccessShareLock);
	desc = RelationGetDescr(relation);
	foreach(cell, named)
		drawn = bms_add_member(drawn, find_attribute(desc, lfirst(cell)) + 1 -
							   FirstLowInvalidHeapAttributeNumber);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Bitmapset  *used = NULL;

		if (attribute->attisdropped || attribute->attgenerated == '\0' ||
			gs_is_named(named, NameStr(attribute->attname)))
			continue;
		pull_varattnos(build_column_default(relation, i + 1), 1, &used);
		if (bms_overlap(used, drawn))
			targets = lappend(targets, pstrdup(NameStr(attribute->attname)));
	}
	table_close(relation, AccessShareLock);
	return targets;
}

/*
 * The columns of the source that can be learned, for a fit; an error if one
 * to be drawn is not among them.
 */
static List *
find_learned(const GsSource *source, List *targets)
{
	List	   *learned = NIL;

	for (int i = 0; i < source->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(source->desc, i);
		char	   *name = NameStr(attribute->attname);
		int32		typmod = attribute->atttypmod;
		Oid			type = gs_plain_type(attribute->atttypid, &typmod);
		GsCodec		codec;

		if (gs_codec_for_type(&codec, type, typmod))
			learned = lappend(learned, pstrdup(name));
		else if (gs_is_named(targets, name))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" is of type %s, which cannot be drawn",
							name, format_type_be(attribute->atttypid)),
					 errhint("Cast it in a query, or leave it out.")));
	}
	return learned;
}

static const GsModel *
find_model(const CompletionCall *call, const GsSource *source,
		   List *targets)
{
	if (call->model != NULL)
		return gs_model_load(gs_catalog_open(call->model), 0);
	return gs_fit_completion(call->source, find_learned(source, targets),
							 targets, call->seed);
}

/*
 * Which columns of the model are context, and where the source has them.
 */
static void
match_columns(Completion *completion, const GsSchema *schema,
			  const GsSource *source, List *targets)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		int			at = find_attribute(source->desc, column->name);

		completion->source_of[c] = at;
		if (gs_is_named(targets, column->name))
			continue;
		if (at < 0 ||
			!gs_is_column_of(column, TupleDescAttr(source->desc, at)->atttypid))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the source has no column \"%s\" of type %s, which the model knows",
							column->name, column->type_name),
					 errhint("Complete rows of the kind that the model was fitted to.")));
		completion->known[c] = true;
	}
}

static void
open_target(Completion *completion, Column *column, const char *name,
			Oid type)
{
	const GsSchema *schema = completion->made->sampler->schema;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		if (strcmp(schema->columns[c].name, name) != 0)
			continue;
		if (!gs_is_column_of(&schema->columns[c], type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the model is of type %s, and that of the source of type %s",
							name, schema->columns[c].type_name,
							format_type_be(type)),
					 errhint("Fit the model again, or leave out the model argument.")));
		if (completion->fill_nulls && schema->columns[c].nullable)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("NULLs of column \"%s\" cannot be filled: the model draws NULLs, too",
							name),
					 errhint("Leave out the model argument, or fit with the option \"impute\" naming the column, which needs at least rare_threshold values.")));
		column->c = c;
		column->decoder = gs_decoder_create(schema, c, completion->plain ?
											InvalidOid : type);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the model has no column \"%s\"", name),
			 errhint("SELECT * FROM synth_columns('model') lists its columns.")));
}

/*
 * The columns of the result: those of the source by their names.
 */
static void
open_columns(Completion *completion, const GsSource *source, List *targets)
{
	TupleDesc	desc = completion->desc;

	completion->columns = palloc0(sizeof(Column) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute to = TupleDescAttr(desc, i);
		Column	   *column = &completion->columns[i];
		char	   *name = NameStr(to->attname);

		column->c = -1;
		column->at = to->attisdropped ? -1 : find_attribute(source->desc, name);
		if (column->at < 0)
			continue;
		if (TupleDescAttr(source->desc, column->at)->atttypid != to->atttypid)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the source is of type %s, and that of the row type of type %s",
							name,
							format_type_be(TupleDescAttr(source->desc,
														 column->at)->atttypid),
							format_type_be(to->atttypid)),
					 errhint("Cast it in the query.")));
		if (gs_is_named(targets, name))
			open_target(completion, column, name, to->atttypid);
	}
}

static bool *
find_needed(const Completion *completion)
{
	bool	   *needed = palloc0(Max(completion->made->sampler->schema->nfeatures, 1));

	for (int i = 0; i < completion->desc->natts; i++)
		if (completion->columns[i].decoder != NULL)
			gs_decoder_needs(completion->columns[i].decoder, needed);
	return needed;
}

static void
allocate(Completion *completion)
{
	const GsSchema *schema = completion->made->sampler->schema;
	Size		cells = (Size) GS_BATCH * Max(completion->desc->natts, 1);

	completion->values = palloc(sizeof(Datum) * cells);
	completion->nulls = palloc(cells);
	cells = (Size) GS_BATCH * completion->nsource;
	completion->read = palloc(sizeof(Datum) * cells);
	completion->read_nulls = palloc(cells);
	for (int c = 0; c < schema->ncolumns; c++)
		if (completion->known[c])
			completion->made->given[c] = (GsRows)
		{
			completion->read + completion->source_of[c],
				completion->read_nulls + completion->source_of[c],
				completion->nsource
		};
	completion->context = AllocSetContextCreate(CurrentMemoryContext,
												"gensynth completion",
												ALLOCSET_DEFAULT_SIZES);
}

/*
 * open_completion: begins to complete the rows of a source, in the current
 * context.
 *
 * desc: the columns asked for, by the names of the source's; NULL for all of
 * the source's.  Errors: those of gs_source_open, of a fit, and of
 * gs_sampler_begin; undefined_column; datatype_mismatch.
 */
static Completion *
open_completion(const CompletionCall *call, TupleDesc desc)
{
	Completion *completion = palloc0(sizeof(Completion));
	MemoryContext context = CurrentMemoryContext;
	const GsModel *model;
	GsSource   *source;
	List	   *targets;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	source = gs_source_open(call->source, NIL, NIL);
	targets = find_targets(source, call->columns);
	model = find_model(call, source, targets);
	completion->fill_nulls = call->fill_nulls;
	completion->plain = desc == NULL;
	completion->nsource = source->desc->natts;
	completion->desc = desc != NULL ? desc : CreateTupleDescCopy(source->desc);
	completion->known = palloc0(Max(model->schema->ncolumns, 1));
	completion->source_of = palloc(sizeof(int) *
								   Max(model->schema->ncolumns, 1));
	match_columns(completion, model->schema, source, targets);
	completion->made = gs_known_create(model, completion->known);
	allocate(completion);
	gs_known_know(completion->made);
	open_columns(completion, source, targets);
	gs_known_begin(completion->made, call->seed, find_needed(completion));
	completion->cursor = gs_source_cursor(source);
	SPI_finish();
	return completion;
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	Completion *completion = arg;
	MemoryContext old = MemoryContextSwitchTo(completion->context);
	Size		first = (Size) completion->rows++ * completion->nsource;
	HeapTuple	tuple = ExecCopySlotHeapTuple(slot);

	heap_deform_tuple(tuple, slot->tts_tupleDescriptor,
					  completion->read + first,
					  completion->read_nulls + first);
	MemoryContextSwitchTo(old);
}

/*
 * Reads a batch of rows.  Fewer are filled up with the last one: the family
 * makes whole batches.
 */
static void
read_rows(Completion *completion)
{
	Size		n = completion->nsource;

	completion->rows = 0;
	gs_source_fetch(completion->cursor, GS_BATCH, take_row, completion);
	for (int i = completion->rows; i < GS_BATCH && completion->rows > 0; i++)
	{
		memcpy(completion->read + i * n,
			   completion->read + (completion->rows - 1) * n,
			   sizeof(Datum) * n);
		memcpy(completion->read_nulls + i * n,
			   completion->read_nulls + (completion->rows - 1) * n, n);
	}
}

static void
decode_column(Completion *completion, int i)
{
	const Column *column = &completion->columns[i];
	int			n = completion->desc->natts;
	GsRows		rows = {completion->values + i, completion->nulls + i, n};

	gs_known_decode(completion->made, column->decoder, column->c,
					completion->rows, rows);
}

/*
 * Puts the rows of the result together: columns that are kept, and in the
 * others NULLs, or all but these, too.
 */
static void
keep_columns(Completion *completion)
{
	int			n = completion->desc->natts;

	for (int i = 0; i < n; i++)
	{
		const Column *column = &completion->columns[i];

		for (int row = 0; row < completion->rows; row++)
		{
			Size		to = (Size) row * n + i;
			Size		from = (Size) row * completion->nsource + column->at;
			bool		was_null = column->at < 0 ||
				completion->read_nulls[from];

			if (column->c >= 0 && was_null == completion->fill_nulls)
				continue;
			completion->nulls[to] = was_null;
			completion->values[to] = was_null ? (Datum) 0 :
				completion->read[from];
		}
	}
}

static bool
next_batch(Completion *completion)
{
	MemoryContext old;

	MemoryContextReset(completion->context);
	completion->at = 0;
	read_rows(completion);
	if (completion->rows == 0)
		return false;
	(void) gs_known_fill(completion->made, completion->first / GS_BATCH);
	old = MemoryContextSwitchTo(completion->context);
	for (int i = 0; i < completion->desc->natts; i++)
		if (completion->columns[i].decoder != NULL)
			decode_column(completion, i);
	MemoryContextSwitchTo(old);
	keep_columns(completion);
	completion->first += GS_BATCH;
	return true;
}

/*
 * next_row: the next row; false after the last.
 *
 * values, nulls: set to arrays with an element for each column of the result,
 * valid until the next call.
 */
static bool
next_row(Completion *completion, Datum **values, bool **nulls)
{
	Size		cell;

	CHECK_FOR_INTERRUPTS();
	if (completion->at >= completion->rows && !next_batch(completion))
		return false;
	cell = (Size) completion->at++ * completion->desc->natts;
	*values = completion->values + cell;
	*nulls = completion->nulls + cell;
	return true;
}

/* The state of one call of a set-returning function. */
typedef struct CompleteCall
{
	Completion *completion;
	GsJsonRow  *json;			/* NULL: rows, not documents */
} CompleteCall;

static char *
text_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static void
close_completion(Datum arg)
{
	const Completion *completion = (const Completion *) DatumGetPointer(arg);

	gs_source_close(completion->cursor);
}

static CompleteCall *
begin_call(FunctionCallInfo fcinfo, bool typed)
{
	CompleteCall *call = palloc0(sizeof(CompleteCall));
	CompletionCall request = {0};
	TupleDesc	desc = NULL;
	Oid			relid = InvalidOid;
	int			rest = typed ? 3 : 2;	/* model, seed, fill_nulls */

	if (typed)
		desc = BlessTupleDesc(gs_shape_desc(fcinfo, &relid));
	request.source = text_argument(fcinfo, typed ? 2 : 0);
	if (request.source == NULL && OidIsValid(relid))
		request.source = gs_relation_name(relid, NULL);
	if (request.source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null"),
				 errhint("Pass the name of a table or view, or a query.")));
	request.columns = gs_names_argument(fcinfo, 1, "columns");
	if (request.columns == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("columns must not be null"),
				 errhint("Name the columns that are to be drawn anew, such as '{income}'.")));
	request.model = text_argument(fcinfo, rest);
	request.seed = PG_ARGISNULL(rest + 1) ? gs_random_seed() :
		PG_GETARG_INT64(rest + 1);
	request.fill_nulls = !PG_ARGISNULL(rest + 2) && PG_GETARG_BOOL(rest + 2);
	call->completion = open_completion(&request, desc);
	/* who stops early leaves nothing open; an error sees to it itself */
	RegisterExprContextCallback(((ReturnSetInfo *) fcinfo->resultinfo)->econtext,
								close_completion,
								PointerGetDatum(call->completion));
	if (!typed)
		call->json = gs_jsonrow_create(BlessTupleDesc(call->completion->desc));
	return call;
}

/*
 * What both forms do at each call: begin at the first one, then a row.
 */
static Datum
complete(FunctionCallInfo fcinfo, bool typed)
{
	FuncCallContext *funcctx;
	CompleteCall *call;
	Datum	   *values;
	bool	   *nulls;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		funcctx->user_fctx = begin_call(fcinfo, typed);
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	call = funcctx->user_fctx;
	if (!next_row(call->completion, &values, &nulls))
	{
		UnregisterExprContextCallback(((ReturnSetInfo *) fcinfo->resultinfo)->econtext,
									  close_completion,
									  PointerGetDatum(call->completion));
		close_completion(PointerGetDatum(call->completion));
		SRF_RETURN_DONE(funcctx);
	}
	if (call->json != NULL)
		SRF_RETURN_NEXT(funcctx, gs_jsonrow_form(call->json, values, nulls));
	SRF_RETURN_NEXT(funcctx,
					HeapTupleGetDatum(heap_form_tuple(call->completion->desc,
													  values, nulls)));
}

/*
 * synth_complete(shape anyelement, columns text[], source text = NULL,
 *	model text = NULL, seed bigint = NULL, fill_nulls boolean = false),
 * synth_complete(source text, columns text[], model text = NULL,
 *	seed bigint = NULL, fill_nulls boolean = false): see stream.sql.
 */
GS_FUNCTION(synth_complete_typed);
GS_FUNCTION(synth_complete_json);

Datum
synth_complete_typed(PG_FUNCTION_ARGS)
{
	return complete(fcinfo, true);
}

Datum
synth_complete_json(PG_FUNCTION_ARGS)
{
	return complete(fcinfo, false);
}
