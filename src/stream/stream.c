/*
 * stream.c
 *	  A stream of synthetic rows: batches of a model, decoded column by column
 *	  to the columns that are asked for.
 *
 * Batches are aligned to absolute row numbers, so row i is the same whatever
 * the row that a stream starts with.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "codec/datum.h"
#include "encode/decode.h"
#include "codec/domain.h"
#include "constraint/rules.h"
#include "key/key.h"
#include "stream/node/former.h"
#include "stream/stream.h"

typedef struct StreamColumn
{
	GsDecoder  *decoder;		/* NULL: the model lacks it */
	int			set;			/* column of the model that conditions set; -1 */
	ExprState  *cast;			/* NULL: of the model's own type */
	const char *name;
	int16		cast_len;
	bool		cast_byval;
} StreamColumn;

struct GsStream
{
	GsSlice		slice;
	GsSampler  *sampler;
	GsBatch    *batch;
	GsRules    *rules;			/* NULL: any row will do */
	StreamColumn *columns;		/* [ncolumns] */
	int64		next;			/* row number, from 0, of the next slice */
	int64		end;			/* one beyond the last */
	int64		filled;			/* index of the batch at hand, or -1 */
	int64		batches;		/* made so far */
	bool		decodes;		/* some column is asked for */
	bool	   *fixed;			/* [columns of the model] see gs_keys_respace */
	ExprContext *econtext;

	/* the slice is of one batch */
	int			from;			/* its first row's place there */
	int			max;			/* rows to decode at a time */
	GsFormer   *former;
	MemoryContext context;		/* what the values and tuples point to */
};

#define SLICE_ROWS	16			/* to begin with */
#define SLICE_CELLS	2048		/* so that they stay in the cache ... */
#define LANE_ROWS	64			/* ... but what kernels work on at a time */
#define SLICE_BYTES	(1024 * 1024)

/*
 * Whether a column's decoder makes values of the type that is asked for: the
 * column's, or a domain over it.
 */
static bool
is_decoded(const GsColumn *from, Form_pg_attribute to)
{
	int32		typmod = to->atttypmod;

	return gs_plain_type(to->atttypid, &typmod) == from->type &&
		(typmod == from->typmod || typmod == -1);
}

/*
 * A decoded value, for an expression.  One of a type that did not come with
 * PostgreSQL, an enum say, is taken as its text: casts from it may be anybody's.
 */
static Node *
make_value(const GsColumn *from)
{
	CaseTestExpr *value = makeNode(CaseTestExpr);
	CoerceViaIO *text;

	value->typeId = from->type;
	value->typeMod = from->typmod;
	value->collation = get_typcollation(from->type);
	if (from->type < FirstUnpinnedObjectId)
		return (Node *) value;
	text = makeNode(CoerceViaIO);
	text->arg = (Expr *) value;
	text->resulttype = TEXTOID;
	text->resultcollid = DEFAULT_COLLATION_OID;
	text->coerceformat = COERCE_IMPLICIT_CAST;
	text->location = -1;
	return (Node *) text;
}

/*
 * A cast as an assignment would make it, else an explicit one; an error that
 * names the column if there is none.
 */
static ExprState *
make_cast(const GsColumn *from, Form_pg_attribute to)
{
	Node	   *value = make_value(from);
	Node	   *expr = coerce_to_target_type(NULL, value, exprType(value),
											 to->atttypid, to->atttypmod,
											 COERCION_ASSIGNMENT,
											 COERCE_IMPLICIT_CAST, -1);

	if (expr == NULL)
		expr = coerce_to_target_type(NULL, value, exprType(value),
									 to->atttypid, to->atttypmod,
									 COERCION_EXPLICIT, COERCE_EXPLICIT_CAST,
									 -1);
	if (expr == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the model is of type %s, which cannot be converted to %s",
						from->name, format_type_be(from->type),
						format_type_be(to->atttypid)),
				 errhint("Fit the model again, or leave the column out of the row type.")));
	return ExecInitExpr(expression_planner((Expr *) expr), NULL);
}

/*
 * The most rows of a slice.
 */
static int
max_rows(const GsStream *stream)
{
	int			lanes = SLICE_CELLS / LANE_ROWS /
		Max(stream->slice.ncolumns, 1);

	return Min(Max(lanes, 1) * LANE_ROWS, GS_BATCH);
}

/*
 * Marks the features that the columns asked for are decoded from.
 */
static bool *
find_needed(const GsStream *stream)
{
	bool	   *needed = palloc0(Max(stream->sampler->schema->nfeatures, 1));

	for (int i = 0; i < stream->slice.ncolumns; i++)
		if (stream->columns[i].decoder != NULL)
			gs_decoder_needs(stream->columns[i].decoder, needed);
	if (stream->rules != NULL)
		gs_rules_need(stream->rules, needed);
	return needed;
}

/*
 * Prepares for the model's column c in the type that is asked for.
 */
static void
open_column(GsStream *stream, StreamColumn *column, int c,
			Form_pg_attribute attribute)
{
	const GsSchema *schema = stream->sampler->schema;
	const GsColumn *from = &schema->columns[c];
	bool		decoded = is_decoded(from, attribute);

	column->name = from->name;
	column->decoder = gs_decoder_create(schema, c, decoded ?
										attribute->atttypid : InvalidOid);
	stream->decodes = true;
	if (stream->rules != NULL && gs_rules_sets(stream->rules, c))
		column->set = c;
	/* of a domain, the decoder sees to values, and a cast to all else */
	if (!decoded ||
		(column->set >= 0 && attribute->atttypid != from->type) ||
		(from->nullable && !gs_domain_takes_null(attribute->atttypid)))
		column->cast = make_cast(from, attribute);
	get_typlenbyval(attribute->atttypid, &column->cast_len,
					&column->cast_byval);
}

/*
 * gs_stream_open: a stream of no rows yet, in the current context.
 *
 * sampler: this stream's alone; desc: the columns asked for, matched to the
 * model's by name; nothing else
 * is decoded.  Errors: datatype_mismatch for a column that cannot be
 * converted.
 */
GsStream *
gs_stream_open(GsSampler *sampler, TupleDesc desc, int64 seed)
{
	GsStream   *stream = palloc0(sizeof(GsStream));
	const GsSchema *schema = sampler->schema;
	bool	   *packed = palloc0(Max(desc->natts, 1));
	Size		cells;

	stream->sampler = sampler;
	stream->slice.ncolumns = desc->natts;
	stream->columns = palloc0(sizeof(StreamColumn) * Max(desc->natts, 1));
	stream->filled = -1;
	stream->econtext = CreateStandaloneExprContext();
	stream->context = AllocSetContextCreate(CurrentMemoryContext,
											"gensynth slice",
											ALLOCSET_DEFAULT_SIZES);
	stream->rules = gs_rules_open(sampler);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		StreamColumn *column = &stream->columns[i];

		column->set = -1;
		if (attribute->attisdropped)
			continue;
		for (int c = 0; c < schema->ncolumns; c++)
		{
			if (strcmp(schema->columns[c].name,
					   NameStr(attribute->attname)) != 0)
				continue;
			open_column(stream, column, c, attribute);
			packed[i] = column->cast == NULL && column->set < 0 &&
				gs_decoder_is_packed(column->decoder);
		}
	}
	stream->batch = gs_batch_create(sampler, seed, find_needed(stream));
	if (stream->rules != NULL)
	{
		gs_rules_attach(stream->rules, stream->batch);
		/* rows that are left out, or that cannot be made, must be found */
		stream->decodes |= sampler->model->version->on_violation !=
			GS_VIOLATION_IGNORE;
	}
	stream->fixed = palloc0(Max(schema->ncolumns, 1));
	if (stream->rules != NULL)
		gs_rules_mark(stream->rules, stream->fixed);
	stream->former = gs_former_create(desc, packed);
	stream->max = SLICE_ROWS;
	cells = (Size) max_rows(stream) * Max(desc->natts, 1);
	stream->slice.values = palloc(sizeof(Datum) * cells);
	stream->slice.nulls = palloc(cells);
	return stream;
}

/*
 * gs_stream_seek: the rows to come are first to end - 1, counted from 0.
 */
void
gs_stream_seek(GsStream *stream, int64 first, int64 end)
{
	stream->next = first;
	stream->end = end;
	stream->slice.rows = stream->slice.at = 0;
}

/*
 * gs_stream_rules: the conditions that rows had to meet; NULL if there are
 * none.
 */
const GsRules *
gs_stream_rules(const GsStream *stream)
{
	return stream->rules;
}

/*
 * gs_stream_position: the number, from 0, of the row to come.
 */
int64
gs_stream_position(const GsStream *stream)
{
	return stream->next - (stream->slice.rows - stream->slice.at);
}

/*
 * gs_stream_batches: how many batches were made.
 */
int64
gs_stream_batches(const GsStream *stream)
{
	return stream->batches;
}

static void
cast_errcontext(void *column)
{
	errcontext("column \"%s\" of the model",
			   ((const StreamColumn *) column)->name);
}

/*
 * Casts a decoded column in place; NULLs too, for a domain may refuse them.
 */
static void
cast_column(GsStream *stream, StreamColumn *column, GsRows rows)
{
	ExprContext *econtext = stream->econtext;
	ErrorContextCallback callback = {error_context_stack, cast_errcontext,
	column};

	error_context_stack = &callback;

	for (int i = 0; i < stream->slice.rows * rows.stride; i += rows.stride)
	{
		MemoryContext old;
		Datum		value;

		econtext->caseValue_datum = rows.values[i];
		econtext->caseValue_isNull = rows.nulls[i];
		value = ExecEvalExprSwitchContext(column->cast, econtext,
										  &rows.nulls[i]);
		old = MemoryContextSwitchTo(stream->context);
		rows.values[i] = rows.nulls[i] ? (Datum) 0 :
			gs_datum_copy(value, column->cast_byval, column->cast_len);
		MemoryContextSwitchTo(old);
		ResetExprContext(econtext);
	}
	error_context_stack = callback.previous;
}

static void
decode_slice(GsStream *stream)
{
	GsSlice    *slice = &stream->slice;
	int			from = stream->from;
	MemoryContext old = MemoryContextSwitchTo(stream->context);

	for (int i = 0; i < slice->ncolumns; i++)
	{
		StreamColumn *column = &stream->columns[i];
		GsRows		rows = {slice->values + i, slice->nulls + i,
			slice->ncolumns
		};

		if (column->decoder == NULL)
		{
			for (int k = 0; k < slice->rows; k++)
			{
				rows.values[k * rows.stride] = (Datum) 0;
				rows.nulls[k * rows.stride] = true;
			}
			continue;
		}
		if (column->set >= 0)
			gs_rules_set(stream->rules, stream->batch, column->set, from,
						 from + slice->rows, rows);
		else
			gs_decode(column->decoder, stream->batch, from,
					  from + slice->rows, rows);
		if (column->cast != NULL)
			cast_column(stream, column, rows);
	}
	MemoryContextSwitchTo(old);
}

/*
 * Goes on to the next slice: of few rows at first, of more while their values
 * take little memory, so that neither a LIMIT nor wide values cost more than
 * they must.  False after the last.
 */
static bool
next_slice(GsStream *stream)
{
	int64		index = stream->next / GS_BATCH;
	int			from = (int) (stream->next - index * GS_BATCH);
	int			last = (int) Min(GS_BATCH, stream->end - index * GS_BATCH);
	Size		bytes;

	CHECK_FOR_INTERRUPTS();
	if (stream->next >= stream->end)
		return false;
	MemoryContextReset(stream->context);
	stream->slice.tuples = NULL;
	/* not before the slice is whole: an error may leave the stream in use */
	stream->slice.rows = stream->slice.at = 0;
	if (stream->decodes && stream->filled != index)
	{
		stream->filled = -1;
		gs_batch_fill(stream->sampler, stream->batch, index);
		if (stream->rules != NULL)
			stream->slice.dropped = gs_rules_apply(stream->rules,
												   stream->batch);
		/* conditions of a call choose rows by what they are */
		if (stream->sampler->given == NULL &&
			gs_keys_respace(stream->sampler->schema, stream->fixed,
							stream->batch))
			gs_dependency_fill(stream->sampler->model->determined, NULL,
							   stream->batch);
		stream->filled = index;
		stream->batches++;
	}
	stream->from = from;
	stream->slice.rows = Min(stream->max, last - from);
	decode_slice(stream);
	stream->next += stream->slice.rows;
	bytes = MemoryContextMemAllocated(stream->context, true);
	if (bytes < SLICE_BYTES)
		stream->max = Min(stream->max * 4, max_rows(stream));
	else if (bytes > 4 * SLICE_BYTES)
		stream->max = Max(stream->max / 4, 1);
	return true;
}

/*
 * gs_stream_advance: makes sure that the slice's next row is to be given out;
 * false after the last.
 */
bool
gs_stream_advance(GsStream *stream)
{
	const GsSlice *slice = &stream->slice;

	do
	{
		if (slice->at >= slice->rows && !next_slice(stream))
			return false;
	} while (slice->dropped != NULL &&
			 slice->dropped[stream->from + slice->at] &&
			 ++stream->slice.at);
	return true;
}

/*
 * gs_stream_form: the slice's rows as tuples.
 */
void
gs_stream_form(GsStream *stream)
{
	GsSlice    *slice = &stream->slice;
	MemoryContext old = MemoryContextSwitchTo(stream->context);

	slice->tuples = gs_form_rows(stream->former, slice->rows, slice->values,
								 slice->nulls);
	MemoryContextSwitchTo(old);
}
