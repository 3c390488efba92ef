/*
 * probe.c
 *	  What tests ask of encoders.  No SQL of the extension declares these
 *	  functions; a test does, as a superuser.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "learn/difference.h"
#include "encode/encode.h"
#include "codec/styles.h"
#include "model/model.h"
#include "numeric/guide.h"

/* Columns of a batch, and what was found out about them. */
typedef struct Probe
{
	const GsSchema *schema;
	GsEncoder  *encoder;
	GsRows	   *rows;			/* [ncolumns] */
	GsGuide    *guide;			/* [nfeatures] of numbers */
	int64	   *moved;			/* [ncolumns] cells with another code or segment */
	int64	   *lost;			/* [ncolumns] cells with another value */
} Probe;

static GsRows *
create_rows(int ncolumns)
{
	GsRows	   *rows = palloc(sizeof(GsRows) * Max(ncolumns, 1));

	for (int c = 0; c < ncolumns; c++)
		rows[c] = (GsRows)
	{
		palloc0(sizeof(Datum) * GS_BATCH), palloc0(sizeof(bool) * GS_BATCH), 1
	};
	return rows;
}

static void
open_probe(Probe *probe, const GsSchema *schema)
{
	probe->schema = schema;
	probe->encoder = gs_encoder_create(schema, NULL);
	probe->rows = create_rows(schema->ncolumns);
	probe->moved = palloc0(sizeof(int64) * Max(schema->ncolumns, 1));
	probe->lost = palloc0(sizeof(int64) * Max(schema->ncolumns, 1));
	probe->guide = palloc0(sizeof(GsGuide) * Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsQuantile *q = &schema->features[f].quantile;

		if (schema->features[f].kind == GS_FEATURE_NUMBER)
			gs_guide_init(&probe->guide[f], q->edge, q->nsegments, palloc);
	}
}

/*
 * A row's code, or the segment of its score; GS_NO_CODE where it is missing.
 */
static int
bin_of(const Probe *probe, const GsBatch *batch, int f, int row)
{
	if (batch->score[f] == NULL)
		return batch->code[f][row];
	return isnan(batch->score[f][row]) ? GS_NO_CODE :
		gs_guide_find_one(&probe->guide[f], batch->score[f][row]);
}

/*
 * "name moved lost" of the columns that have such cells.
 */
static ArrayType *
report(const Probe *probe, int64 rows)
{
	Datum	   *lines = palloc(sizeof(Datum) * (probe->schema->ncolumns + 1));
	int			n = 0;

	lines[n++] = CStringGetTextDatum(psprintf("rows " INT64_FORMAT, rows));
	for (int c = 0; c < probe->schema->ncolumns; c++)
		if (probe->moved[c] > 0 || probe->lost[c] > 0)
			lines[n++] = CStringGetTextDatum(psprintf("%s " INT64_FORMAT " " INT64_FORMAT,
													  probe->schema->columns[c].name,
													  probe->moved[c],
													  probe->lost[c]));
	return construct_array(lines, n, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Rows of a model, decoded, encoded, and decoded again. */
typedef struct Turn
{
	Probe	   *probe;
	GsDecoder **decoder;		/* [ncolumns] */
	GsBatch    *made;
	GsBatch    *encoded;
	GsRows	   *again;			/* [ncolumns] */
} Turn;

static bool
same_value(const GsColumn *column, GsRows a, GsRows b, int row)
{
	FmgrInfo	output = column->codec.output;

	if (a.nulls[row] || b.nulls[row])
		return a.nulls[row] && b.nulls[row];
	return strcmp(OutputFunctionCall(&output, a.values[row]),
				  OutputFunctionCall(&output, b.values[row])) == 0;
}

static void
decode_all(Turn *turn, const GsBatch *batch, GsRows *rows)
{
	for (int c = 0; c < turn->probe->schema->ncolumns; c++)
		gs_decode(turn->decoder[c], batch, 0, GS_BATCH, rows[c]);
}

/*
 * Whether an encoded cell is not what was made.  Then what was made gets its
 * place, to be decoded; where the cell is missing, and so says nothing, it gets
 * anything.
 */
static bool
move_cell(Turn *turn, int f, int row, bool *missing)
{
	const GsFeature *feature = &turn->probe->schema->features[f];
	GsBatch    *made = turn->made;
	GsBatch    *encoded = turn->encoded;
	int			bin = bin_of(turn->probe, encoded, f, row);

	*missing = bin == GS_NO_CODE;
	if (bin == bin_of(turn->probe, made, f, row))
		return false;
	if (made->score[f] != NULL)
		made->score[f][row] = *missing ? 0 : encoded->score[f][row];
	else
		made->code[f][row] = *missing ? feature->nlevels - 1 : bin;
	return true;
}

static void
turn_batch(Turn *turn)
{
	Probe	   *probe = turn->probe;
	const GsSchema *schema = probe->schema;
	bool	   *moved = palloc0(sizeof(bool) * schema->ncolumns * GS_BATCH);

	decode_all(turn, turn->made, probe->rows);
	gs_encode(probe->encoder, probe->rows, GS_BATCH, NULL, turn->encoded);
	for (int f = 0; f < schema->nfeatures; f++)
		for (int row = 0; row < GS_BATCH; row++)
		{
			bool		missing;

			if (move_cell(turn, f, row, &missing) && !missing)
				moved[gs_visible_column(schema, schema->features[f].column) *
					  GS_BATCH + row] = true;
		}
	decode_all(turn, turn->made, turn->again);
	for (int c = 0; c < schema->ncolumns; c++)
		for (int row = 0; row < GS_BATCH; row++)
		{
			probe->moved[c] += moved[c * GS_BATCH + row];
			probe->lost[c] += !same_value(&schema->columns[c],
										  probe->rows[c], turn->again[c],
										  row);
		}
}

/*
 * gs_probe_model(model text, batches int) -> text[]: makes batches of rows of
 * a model, decodes them, and encodes them.  Where a cell has another code or
 * segment then, these are decoded again.  Lists the columns that have such
 * cells, how many, and of all how many came out with another value.
 */
GS_FUNCTION(gs_probe_model);

Datum
gs_probe_model(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			nbatches = PG_GETARG_INT32(1);
	const GsModel *model = gs_model_load(gs_catalog_open(name), 0);
	GsSampler  *sampler;
	Probe		probe = {0};
	Turn		turn = {.probe = &probe};
	MemoryContext scratch;
	int			ncolumns = model->schema->ncolumns;

	open_probe(&probe, model->schema);
	sampler = gs_sampler_begin(model, NULL, NULL);
	turn.made = gs_batch_create(sampler, 1, NULL);
	turn.encoded = gs_batch_allocate(model->schema);
	turn.again = create_rows(ncolumns);
	turn.decoder = palloc(sizeof(GsDecoder *) * Max(ncolumns, 1));
	for (int c = 0; c < ncolumns; c++)
		turn.decoder[c] = gs_decoder_create(sampler->schema, c, InvalidOid);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "gensynth probe",
									ALLOCSET_DEFAULT_SIZES);
	for (int b = 0; b < nbatches; b++)
	{
		MemoryContext old;
		int			level;

		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, turn.made, b);
		old = MemoryContextSwitchTo(scratch);
		level = gs_fix_styles();
		turn_batch(&turn);
		gs_end_settings(level);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	PG_RETURN_ARRAYTYPE_P(report(&probe, (int64) nbatches * GS_BATCH));
}

/* A source that is learned from, and encoded. */
typedef struct Fit
{
	GsSample	sample;
	GsEncoded  *encoded;
	GsSchema   *schema;
	int			threshold;
} Fit;

static void
learn(Fit *fit)
{
	GsSample   *sample = &fit->sample;

	for (int64 row = 0; row < sample->seen; row++)
	{
		Datum	   *values = palloc(sizeof(Datum) * sample->ncolumns);
		bool	   *nulls = palloc(sizeof(bool) * sample->ncolumns);

		heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						  values, nulls);
		gs_sample_put(sample, row, values, nulls);
	}
	gs_layouts_find(sample, fit->threshold, true, NIL);
	fit->schema = gs_schema_learn(sample, fit->threshold, 0, &fit->encoded);
}

static void
read_columns(GsSample *sample)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;

	sample->ncolumns = desc->natts;
	sample->columns = palloc0(sizeof(GsColumn) * desc->natts);
	sample->lanes = palloc0(sizeof(GsLane) * desc->natts * GS_MAX_PARTS);
	for (int c = 0; c < desc->natts; c++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, c);
		GsColumn   *column = &sample->columns[c];

		column->name = pstrdup(NameStr(attribute->attname));
		column->declared = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->type = gs_plain_type(column->declared, &column->typmod);
		if (!gs_codec_for_type(&column->codec, column->type, column->typmod))
			elog(ERROR, "column \"%s\" has no codec", column->name);
		for (int p = 0; p < column->codec.nparts; p++)
			gs_lane_init(&sample->lanes[c * GS_MAX_PARTS + p],
						 column->codec.part[p].lane, 0, 1024 * 1024);
	}
}

static void
compare_bins(Probe *probe, const Fit *fit, const GsBatch *batch,
			 int64 first, int n)
{
	for (int f = 0; f < fit->schema->nfeatures; f++)
	{
		const uint16 *bin = batch->score[f] != NULL ?
			fit->encoded->segment[f] : fit->encoded->bin[f];
		int			c = gs_visible_column(fit->schema,
										  fit->schema->features[f].column);

		for (int row = 0; row < n; row++)
		{
			int			is = bin_of(probe, batch, f, row);

			if ((is == GS_NO_CODE ? GS_MISSING : is) != bin[first + row])
				probe->lost[c] = ++probe->moved[c];
		}
	}
}

/*
 * gs_probe_bins(query text, threshold int) -> text[]: learns from a query's
 * rows as a fit does, but without keys, encodes them, and lists the columns
 * in which the encoder's bins are others than the fit's, and how many.
 */
GS_FUNCTION(gs_probe_bins);

Datum
gs_probe_bins(PG_FUNCTION_ARGS)
{
	int			level;
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Fit			fit = {.threshold = PG_GETARG_INT32(1)};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Probe		probe = {0};
	GsBatch    *batch;
	ArrayType  *result;

	SPI_connect();
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "not a SELECT");
	fit.sample.seen = SPI_processed;
	read_columns(&fit.sample);
	level = gs_fix_styles();
	learn(&fit);
	gs_end_settings(level);
	open_probe(&probe, fit.schema);
	batch = gs_batch_allocate(fit.schema);
	for (int64 first = 0; first < fit.sample.seen; first += GS_BATCH)
	{
		int			n = (int) Min(GS_BATCH, fit.sample.seen - first);

		for (int row = 0; row < n; row++)
			for (int c = 0; c < fit.sample.ncolumns; c++)
				probe.rows[c].values[row] =
					SPI_getbinval(SPI_tuptable->vals[first + row],
								  SPI_tuptable->tupdesc, c + 1,
								  &probe.rows[c].nulls[row]);
		gs_encode(probe.encoder, probe.rows, n, NULL, batch);
		compare_bins(&probe, &fit, batch, first, n);
	}
	old = MemoryContextSwitchTo(caller);
	result = report(&probe, fit.sample.seen);
	MemoryContextSwitchTo(old);
	SPI_finish();
	PG_RETURN_ARRAYTYPE_P(result);
}

/*
 * A cell as "name level", "name null", "name other", "name missing", or "name
 * least..most share", the ends of the segment and where the score is in it.
 */
static char *
describe(const Probe *probe, const GsBatch *batch, int f)
{
	const GsSchema *schema = probe->schema;
	const GsFeature *feature = &schema->features[f];
	const GsColumn *column = &schema->columns[feature->column];
	const GsQuantile *q = &feature->quantile;
	int			bin = bin_of(probe, batch, f, 0);
	char	   *end[2];

	if (bin == GS_NO_CODE)
		return psprintf("%s missing", column->name);
	if (feature->part < 0)
		return psprintf("%s is %s", column->name, bin ? "null" : "not null");
	if (feature->kind == GS_FEATURE_CATEGORY && bin == feature->null_level)
		return psprintf("%s null", column->name);
	if (feature->kind == GS_FEATURE_CATEGORY && bin == feature->other_level)
		return psprintf("%s other", column->name);
	for (int i = 0; i < 2; i++)
	{
		GsCodec		codec = column->codec;
		GsPart		part = {.lane = feature->lane,.scale = feature->scale,
		.min_scale = feature->min_scale};

		part.scalar = feature->kind == GS_FEATURE_CATEGORY ?
			feature->level[bin] : i == 0 ? q->low[bin] : q->high[bin];
		part.text = feature->kind == GS_FEATURE_CATEGORY ?
			feature->text[bin] : NULL;
		end[i] = OutputFunctionCall(&codec.output,
									gs_codec_join(&codec, &part));
	}
	if (feature->kind == GS_FEATURE_CATEGORY)
		return psprintf("%s %s", column->name, end[0]);
	return psprintf("%s %s..%s %.3f", column->name, end[0], end[1],
					(batch->score[f][0] - q->edge[bin]) /
					(q->edge[bin + 1] - q->edge[bin]));
}

/*
 * gs_probe_row(model text, row record, share float8) -> text[]: the features
 * of a row of all columns of a model, each of one part; share: see gs_encode.
 */
GS_FUNCTION(gs_probe_row);

Datum
gs_probe_row(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(1);
	float		share = (float) PG_GETARG_FLOAT8(2);
	const GsModel *model = gs_model_load(gs_catalog_open(name), 0);
	int			nfeatures = model->schema->nfeatures;
	int			ncolumns = model->schema->ncolumns;
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
											  HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),
	.t_data = header};
	Datum	   *lines = palloc(sizeof(Datum) * Max(nfeatures, 1));
	float	  **position = palloc(sizeof(float *) * Max(nfeatures, 1));
	Probe		probe = {0};
	GsBatch    *batch = gs_batch_allocate(model->schema);

	open_probe(&probe, model->schema);
	for (int c = 0; c < Min(ncolumns, desc->natts); c++)
		probe.rows[c].values[0] = heap_getattr(&tuple, c + 1, desc,
											   &probe.rows[c].nulls[0]);
	for (int f = 0; f < nfeatures; f++)
		position[f] = &share;
	gs_encode(probe.encoder, probe.rows, 1, position, batch);
	for (int f = 0; f < nfeatures; f++)
		lines[f] = CStringGetTextDatum(describe(&probe, batch, f));
	ReleaseTupleDesc(desc);
	PG_RETURN_ARRAYTYPE_P(construct_array(lines, nfeatures, TEXTOID, -1,
										  false, TYPALIGN_INT));
}
