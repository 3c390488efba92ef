/*
 * stream.c
 *	  A stream of synthetic rows: batches of a model, decoded column by column
 *	  to the columns that are asked for.
 *
 * Batches are aligned to absolute row numbers, so row i is the same whatever
 * the row that a stream starts with.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "column/decode.h"
#include "stream/stream.h"

typedef struct StreamColumn
{
	GsDecoder  *decoder;		/* NULL: the model lacks it */
	ExprState  *cast;			/* NULL: of the model's own type */
	int16		cast_len;
	bool		cast_byval;
	Datum	   *values;			/* [GS_BATCH] */
	bool	   *nulls;			/* [GS_BATCH] */
} StreamColumn;

struct GsStream
{
	const GsModel *model;
	GsBatch    *batch;
	int			ncolumns;
	StreamColumn *columns;
	int64		next;			/* row number, from 0 */
	int64		end;			/* one beyond the last */
	int64		filled;			/* index of the batch at hand, or -1 */
	int64		batches;		/* made so far */
	bool		decodes;		/* some column is asked for */
	ExprContext *econtext;
	int			decoded;		/* rows of the batch before this one are */
	int			slice;			/* rows to decode at a time */
	MemoryContext slice_context;	/* their values */
};

#define SLICE_ROWS	16			/* to begin with */
#define SLICE_BYTES	(1024 * 1024)

/*
 * A cast as an assignment would make it, else an explicit one; an error that
 * names the column if there is none.  NULL where no cast is needed.
 */
static ExprState *
make_cast(const GsColumn *from, Form_pg_attribute to)
{
	CaseTestExpr *value;
	Node	   *expr;

	if (from->type == to->atttypid &&
		(from->typmod == to->atttypmod || to->atttypmod == -1))
		return NULL;
	value = makeNode(CaseTestExpr);
	value->typeId = from->type;
	value->typeMod = from->typmod;
	value->collation = get_typcollation(from->type);
	expr = coerce_to_target_type(NULL, (Node *) value, from->type,
								 to->atttypid, to->atttypmod,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		expr = coerce_to_target_type(NULL, (Node *) value, from->type,
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
 * gs_stream_desc: the model's own columns, as a row type.
 */
TupleDesc
gs_stream_desc(const GsModel *model)
{
	const GsSchema *schema = model->schema;
	TupleDesc	desc = CreateTemplateTupleDesc(schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
		TupleDescInitEntry(desc, c + 1, schema->columns[c].name,
						   schema->columns[c].type, schema->columns[c].typmod,
						   0);
	return desc;
}

/*
 * gs_stream_open: a stream of no rows yet, in the current context.
 *
 * desc: the columns asked for, matched to the model's by name; nothing else
 * is decoded.  Errors: datatype_mismatch for a column that cannot be
 * converted.
 */
GsStream *
gs_stream_open(const GsModel *model, TupleDesc desc, int64 seed)
{
	GsStream   *stream = palloc0(sizeof(GsStream));
	const GsSchema *schema = model->schema;

	stream->model = model;
	stream->batch = gs_batch_create(model, seed);
	stream->ncolumns = desc->natts;
	stream->columns = palloc0(sizeof(StreamColumn) * Max(desc->natts, 1));
	stream->filled = -1;
	stream->econtext = CreateStandaloneExprContext();
	stream->slice = SLICE_ROWS;
	stream->slice_context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth slice",
												  ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		StreamColumn *column = &stream->columns[i];

		if (attribute->attisdropped)
			continue;
		for (int c = 0; c < schema->ncolumns; c++)
		{
			if (strcmp(schema->columns[c].name,
					   NameStr(attribute->attname)) != 0)
				continue;
			column->decoder = gs_decoder_create(schema, c);
			stream->decodes = true;
			column->cast = make_cast(&schema->columns[c], attribute);
			get_typlenbyval(attribute->atttypid, &column->cast_len,
							&column->cast_byval);
			column->values = palloc(sizeof(Datum) * GS_BATCH);
			column->nulls = palloc(sizeof(bool) * GS_BATCH);
		}
	}
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
	/* what was decoded of the batch at hand may be other rows */
	stream->filled = -1;
}

/*
 * gs_stream_batches: how many batches were made.
 */
int64
gs_stream_batches(const GsStream *stream)
{
	return stream->batches;
}

/*
 * Casts a decoded column in place; NULLs too, for a domain may refuse them.
 */
static void
cast_column(GsStream *stream, StreamColumn *column, int from, int to)
{
	ExprContext *econtext = stream->econtext;

	for (int row = from; row < to; row++)
	{
		MemoryContext old;
		Datum		value;

		econtext->caseValue_datum = column->values[row];
		econtext->caseValue_isNull = column->nulls[row];
		value = ExecEvalExprSwitchContext(column->cast, econtext,
										  &column->nulls[row]);
		old = MemoryContextSwitchTo(stream->slice_context);
		column->values[row] = column->nulls[row] ? (Datum) 0 :
			datumCopy(value, column->cast_byval, column->cast_len);
		MemoryContextSwitchTo(old);
		ResetExprContext(econtext);
	}
}

/*
 * Decodes the next rows of the batch at hand: few at first, more while their
 * values take little memory, so that neither a LIMIT nor wide values cost
 * more than they must.
 */
static void
decode_slice(GsStream *stream, int row)
{
	int			last = (int) Min(GS_BATCH, stream->end -
								 stream->filled * GS_BATCH);
	int			to = Min(row + stream->slice, last);
	MemoryContext old;
	Size		bytes;

	MemoryContextReset(stream->slice_context);
	old = MemoryContextSwitchTo(stream->slice_context);
	for (int i = 0; i < stream->ncolumns; i++)
	{
		StreamColumn *column = &stream->columns[i];

		if (column->decoder == NULL)
			continue;
		gs_decode(column->decoder, stream->batch, row, to, column->values,
				  column->nulls);
		if (column->cast != NULL)
			cast_column(stream, column, row, to);
	}
	MemoryContextSwitchTo(old);
	stream->decoded = to;
	bytes = MemoryContextMemAllocated(stream->slice_context, true);
	if (bytes < SLICE_BYTES)
		stream->slice = Min(stream->slice * 4, GS_BATCH);
	else if (bytes > 4 * SLICE_BYTES)
		stream->slice = Max(stream->slice / 4, 1);
}

/*
 * Makes the row at hand ready: its batch, and its slice of it.
 */
static void
prepare_row(GsStream *stream, int64 index, int row)
{
	CHECK_FOR_INTERRUPTS();
	if (stream->filled != index)
	{
		stream->filled = index;
		stream->decoded = row;
		if (stream->decodes)
		{
			gs_batch_fill(stream->model, stream->batch, index);
			stream->batches++;
		}
		else
			stream->decoded = GS_BATCH;
	}
	if (row >= stream->decoded)
		decode_slice(stream, row);
}

/*
 * gs_stream_next: the next row; false after the last.
 *
 * values, nulls: one for each column of the stream's descriptor; valid until
 * the next call.
 */
bool
gs_stream_next(GsStream *stream, Datum *values, bool *nulls)
{
	int64		index = stream->next / GS_BATCH;
	int			row = (int) (stream->next - index * GS_BATCH);

	if (stream->next >= stream->end)
		return false;
	if (stream->filled != index || row >= stream->decoded)
		prepare_row(stream, index, row);
	for (int i = 0; i < stream->ncolumns; i++)
	{
		const StreamColumn *column = &stream->columns[i];

		nulls[i] = column->decoder == NULL || column->nulls[row];
		values[i] = nulls[i] ? (Datum) 0 : column->values[row];
	}
	stream->next++;
	return true;
}
