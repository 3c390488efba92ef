/*
 * fit.c
 *	  synth_fit: from a source to a stored model.
 *
 *	source -> lanes of a sample -> features and bins -> family -> tensors
 *	-> catalog
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "catalog/catalog.h"
#include "catalog/ledger.h"
#include "learn/difference.h"
#include "learn/equal.h"
#include "learn/exact.h"
#include "learn/formula.h"
#include "learn/kind_find.h"
#include "key/key.h"
#include "learn/learn.h"
#include "column/left_out.h"
#include "learn/rare.h"
#include "learn/notation_learn.h"
#include "column/store.h"
#include "codec/notation.h"
#include "codec/styles.h"
#include "fit/acceptance.h"
#include "fit/budget.h"
#include "fit/children.h"
#include "fit/fit.h"
#include "fit/learnable.h"
#include "fit/options.h"
#include "fit/private.h"
#include "fit/trial.h"
#include "mask/kind_type.h"
#include "model/calibrate.h"
#include "model/dependency.h"
#include "model/family.h"
#include "model/model.h"
#include "model/refine.h"
#include "constraint/decide.h"
#include "constraint/links.h"
#include "schema/together.h"
#include "table/source.h"
#include "table/keys.h"
#include "worker/progress.h"

/* The share of maintenance_work_mem that the lanes and bins may take. */
#define LANES_SHARE		0.75

/* Rows that are collected before settings are changed, and their bytes. */
#define MAX_WAITING	500
#define MAX_WAITING_BYTES	(1024 * 1024)

/* By default, of a fit with epsilon. */
#define DEFAULT_DELTA	1e-6

/* Bytes of a model's name: an index entry must hold it. */

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

/* What the arguments ask for. */
typedef struct FitRequest
{
	char	   *source;
	const GsFamily *family;
	char	   *model;
	List	   *columns;
	List	   *exclude;
	int64		seed;
	GsOptions	options;
	bool		known_only;		/* rows are made given their context alone */
	List	   *links;			/* of GsConstraint: see links.h */
	Datum		options_json;
	bool		private;		/* differentially: with epsilon and delta */
	double		epsilon;
	double		delta;
} FitRequest;

/*
 * gs_names_argument: an array of names of columns; NIL for NULL.  Errors:
 * null_value_not_allowed, invalid_parameter_value if it is empty.
 */
List *
gs_names_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *list = NIL;

	if (PG_ARGISNULL(arg))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %s must not contain nulls", name),
					 errhint("Pass names of columns, such as '{name,email}'.")));
		list = lappend(list, TextDatumGetCString(elements[i]));
	}
	if (list == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument %s must not be empty", name),
				 errhint("Leave it out, or pass names of columns, such as '{name,email}'.")));
	return list;
}

static const GsFamily *
find_family(const char *method)
{
	const GsFamily *family = gs_family_find(method);

	if (family == NULL || family == &gs_sequence)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" does not exist", method),
				 errhint("The methods are %s.", gs_family_names())));
	return family;
}

/*
 * Options as they are kept with a version.
 */
static Datum
options_json(Jsonb *options)
{
	return options != NULL ? JsonbPGetDatum(options) :
		DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

/*
 * The arguments epsilon and delta, and what they say of the others.
 */
static void
read_privacy(FunctionCallInfo fcinfo, FitRequest *request)
{
	request->private = !PG_ARGISNULL(6);
	if (!request->private && !PG_ARGISNULL(7))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delta means nothing without epsilon"),
				 errhint("Pass both, such as epsilon => 1, delta => 1e-6.")));
	if (!request->private && request->family->fit == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" needs epsilon",
						request->family->name),
				 errhint("Pass epsilon, such as epsilon => 1, or use another method.")));
	if (!request->private)
		return;
	if (!PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seed cannot be used together with epsilon"),
				 errhint("Whoever knows the seed of noise can take the noise off.")));
	request->epsilon = PG_GETARG_FLOAT8(6);
	request->delta = PG_ARGISNULL(7) ? DEFAULT_DELTA : PG_GETARG_FLOAT8(7);
}

/*
 * An error for options that would seem to promise what only epsilon does.
 */
static void
refuse_private_options(const GsOptions *options)
{
	const char *option = options->privacy_unit != NULL ? "privacy_unit" :
		options->target != NULL ? "target" :
		options->bounds != NIL ? "bounds" :
		options->categories != NIL ? "categories" :
		options->domain_share > 0 ? "domain_share" :
		options->pairs == 0 ? "pairs" :
		options->public.names != NIL ? "public" : NULL;

	if (option != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" means nothing without epsilon",
						option),
				 errhint("Pass epsilon for a differentially private fit, such as epsilon => 1.")));
}

static void
read_arguments(FunctionCallInfo fcinfo, FitRequest *request)
{
	char	   *method = PG_ARGISNULL(1) ? "auto" :
		text_to_cstring(PG_GETARG_TEXT_PP(1));

	memset(request, 0, sizeof(FitRequest));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null"),
				 errhint("Pass the name of a table or view, or a query.")));
	request->source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strcmp(method, "auto") == 0 && !PG_ARGISNULL(6))
		method = "private";
	request->family = find_family(method);
	if (!PG_ARGISNULL(2))
		request->model = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (request->model)
		gs_catalog_check_name(request->model);
	request->columns = gs_names_argument(fcinfo, 3, "columns");
	request->exclude = gs_names_argument(fcinfo, 4, "exclude");
	request->seed = PG_ARGISNULL(5) ? gs_random_seed() : PG_GETARG_INT64(5);
	read_privacy(fcinfo, request);
	gs_options_parse(PG_ARGISNULL(8) ? NULL : PG_GETARG_JSONB_P(8),
					 request->family, &request->options);
	if (!request->private)
		refuse_private_options(&request->options);
	if (request->options.public.on)
		request->options.rare_threshold = 1;
	request->options_json = options_json(PG_ARGISNULL(8) ? NULL :
										 PG_GETARG_JSONB_P(8));
}

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

static void
read_source(Reader *reader, GsSource *source, const FitRequest *request,
			List **notes)
{
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
	ExecDropSingleTupleTableSlot(reader->slot);
	MemoryContextDelete(reader->waiting_context);
	MemoryContextDelete(reader->row_context);

	if (reader->seen > reader->capacity)
		*notes = lappend(*notes, psprintf("learned from a random sample of " INT64_FORMAT " of " INT64_FORMAT " rows",
										  reader->capacity, reader->seen));
	if (reader->seen > reader->capacity && fits < request->options.max_rows)
		ereport(NOTICE,
				(errmsg("learning from a random sample of " INT64_FORMAT " rows",
						reader->capacity),
				 errhint("More rows do not fit in maintenance_work_mem.")));
	if (reader->seen < request->options.rare_threshold)
		report_few(reader, source, request);
	if (reader->copies == NULL)
		return;
	*notes = lappend(*notes, "the source is public: nothing is protected");
	if (reader->seen <= reader->capacity && gs_copies_end(reader->copies))
		*notes = lappend(*notes, "its rows are copied, in their order");
}

static char *
scalar_text(const GsColumn *column, const GsFeature *feature, GsScalar slot)
{
	GsPart		part = {.lane = feature->lane,.scalar = slot,
		.scale = feature->scale,.min_scale = feature->min_scale
	};
	GsCodec		codec = column->codec;

	return OutputFunctionCall(&codec.output, gs_codec_join(&codec, &part));
}

/*
 * What a column is a sum with, and what it is counted in.
 */
static void
append_layout(StringInfo json, const GsSchema *schema, const GsLayout *layout)
{
	GsCalendar		unit = layout->sum[layout->sum[1].nparts > 0].unit;

	for (int b = 0; b < layout->nbases; b++)
	{
		appendStringInfoString(json, b > 0 ? ", " : layout->nbases > 1 ?
							   ", \"from\": [" : ", \"from\": ");
		escape_json(json, schema->columns[layout->base[b]].name);
	}
	if (layout->nbases > 1)
		appendStringInfoChar(json, ']');
	if (unit != GS_CALENDAR_NONE)
		appendStringInfo(json, ", \"calendar\": \"%s\"", gs_calendar_name(unit));
}

/*
 * How a column was understood, as jsonb for synth_columns.  It tells no more
 * than the rows that may be sampled.
 */
static Datum
column_detail(const GsSchema *schema, const GsColumn *column)
{
	const GsFeature *feature = column->key != NULL ? NULL :
		&schema->features[column->feature[0]];
	const GsQuantile *q = feature != NULL ? &feature->quantile : NULL;
	bool		first_null = feature != NULL && feature->null_level >= 0;
	double		nulls = column->null_feature >= 0 ?
		schema->features[column->null_feature].share[1] :
		first_null ? feature->share[feature->null_level] : 0;
	StringInfoData json;

	initStringInfo(&json);
	if (column->key != NULL)
		appendStringInfo(&json, "{\"model\": \"key\", \"keys\": \"%s\", \"space\": " UINT64_FORMAT,
						 gs_key_name(column->key->kind),
						 column->key->kind == GS_KEY_COPY ?
						 (uint64) column->key->width : column->key->space);
	else if (feature->kind == GS_FEATURE_NUMBER)
	{
		appendStringInfo(&json, "{\"model\": \"number\", \"segments\": %d",
						 q->nsegments);
		if (column->codec.nparts == 1 && column->layout == NULL &&
			column->anchor == 0)
		{
			appendStringInfoString(&json, ", \"least\": ");
			escape_json(&json, scalar_text(column, feature, q->low[0]));
			appendStringInfoString(&json, ", \"most\": ");
			escape_json(&json, scalar_text(column, feature,
										   q->high[q->nsegments - 1]));
		}
	}
	else
	{
		appendStringInfo(&json, "{\"model\": \"category\", \"levels\": %d",
						 feature->nlevels - first_null -
						 (feature->other_level >= 0));
		if (feature->other_level >= 0)
			appendStringInfo(&json, ", \"generated\": %.6f",
							 feature->share[feature->other_level]);
		if (column->document)
			appendStringInfo(&json, ", \"paths\": %d", column->nmembers);
	}
	if (column->kind != NULL)
		appendStringInfo(&json, ", \"kind\": \"%s\"", column->kind->name);
	if (column->layout != NULL)
		append_layout(&json, schema, column->layout);
	if (column->anchor > 0)
	{
		appendStringInfoString(&json, ", \"near\": ");
		escape_json(&json, schema->columns[column->anchor - 1].name);
	}
	if (column->equal > 0)
	{
		appendStringInfo(&json, ", \"equal\": %.6f, \"to\": ",
						 schema->features[column->equal_feature].share[1]);
		escape_json(&json, schema->columns[column->equal - 1].name);
	}
	if (column->moment > 0)
	{
		appendStringInfoString(&json, ", \"from\": ");
		escape_json(&json, schema->columns[column->moment - 1].name);
	}
	if (column->codec.notation != NULL)
	{
		appendStringInfoString(&json, ", \"format\": ");
		escape_json(&json,
					gs_notation_name(column->codec.notation->format));
	}
	if (column->codec.nparts > 1)
		appendStringInfo(&json, ", \"parts\": %d", column->codec.nparts);
	appendStringInfo(&json, ", \"nulls\": %.6f}", nulls);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * Notes about columns from which nothing varies, and unique ones that may not
 * be.
 */
static void
note_columns(const GsSchema *schema, List **notes)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsFeature *feature = column->key != NULL ? NULL :
			&schema->features[column->feature[0]];
		bool		only_null = (feature != NULL && feature->null_level >= 0 &&
								 feature->nlevels == 1) ||
			(column->null_feature >= 0 &&
			 schema->features[column->null_feature].share[1] >= 1);

		if (column->unique && column->key == NULL &&
			(!only_null || column->one_null))
			*notes = lappend(*notes,
							 psprintf("column \"%s\" of type %s is unique in the source, and its synthetic values may not be",
									  column->name, column->base_name));
		if (column->format != NULL && gs_format_is_full(column->format))
			*notes = lappend(*notes,
							 psprintf("column \"%s\": nearly all texts of its formats are rare values of the source, so its words are combined in other ways",
									  column->name));
		if (only_null)
			*notes = lappend(*notes,
							 psprintf("column \"%s\" is always null: it holds too few values to be shown",
									  column->name));
	}
}

/* What learn_columns() and learn_rows() take and make. */
typedef struct Learning
{
	const FitRequest *request;
	Reader		reader;
	List	   *constraints;	/* of the source */
	List	   *formulas;		/* that were found */
	GsVersionEntry *version;
	GsFitContext context;
} Learning;

/*
 * Finds what columns say of each other, and how they are best told.
 */
static void
find_relations(Learning *learning, const GsSchema *columns)
{
	const GsOptions *options = &learning->request->options;
	GsSample   *sample = &learning->reader.sample;
	int			level = gs_fix_styles();

	/* while lanes hold the columns' own values */
	if (options->dependencies)
	{
		gs_equals_find(sample);
		learning->formulas = gs_formulas_find(sample,
											  gs_mix64(learning->request->seed,
													   3));
	}
	gs_end_settings(level);
	/* conditions have settings of their own */
	gs_constraints_mark(learning->constraints, options->constraints,
						learning->formulas, columns);
	level = gs_fix_styles();
	gs_notations_find(sample, (int) options->rare_threshold);
	if (options->dependencies)
		gs_leaders_find(sample);
	gs_layouts_find(sample, options->rare_threshold, options->differences);
	if (options->dependencies)
		gs_exact_find(sample, options->rare_threshold);
	gs_end_settings(level);
}

static void
learn_columns(Learning *learning)
{
	const FitRequest *request = learning->request;
	GsVersionEntry *version = learning->version;
	GsSchema	columns = {.ncolumns = learning->reader.sample.ncolumns,
	.columns = learning->reader.sample.columns};
	int			level;

	gs_progress_phase(GS_PHASE_COLUMNS, 0, columns.ncolumns);
	/* not of rows that are copied */
	if (learning->reader.sample.columns[0].key == NULL)
	{
		gs_kinds_find(&learning->reader.sample, learning->version->relation);
		find_relations(learning, &columns);
	}
	level = gs_fix_styles();
	version->schema = gs_schema_learn(&learning->reader.sample,
									  request->options.rare_threshold,
									  gs_mix64(request->seed, 0),
									  &learning->context.encoded);
	gs_leaders_nulls(version->schema);
	gs_rare_fill(version->schema, learning->context.encoded,
				 gs_mix64(request->seed, 2));
	learning->context.schema = version->schema;
	note_columns(version->schema, &version->notes);
	gs_end_settings(level);
}

/*
 * Takes over what a family has learned, to be written.
 */
static void
keep_learned(const GsFitContext *context, const GsFamily *family,
			 GsVersionEntry *version)
{
	version->method = family->name;
	version->tensors = list_concat(context->tensors, version->tensors);
	version->notes = list_concat(version->notes, context->notes);
	gs_schema_save(version->schema, &version->tensors);
	version->details = palloc(sizeof(Datum) * version->schema->ncolumns);
	for (int c = 0; c < version->schema->ncolumns; c++)
		version->details[c] = column_detail(version->schema,
											&version->schema->columns[c]);
}

static void
learn_rows(Learning *learning)
{
	const GsOptions *options = &learning->request->options;
	const GsFamily *family = learning->request->family;
	GsFitContext *context = &learning->context;
	GsVersionEntry *version = learning->version;
	int			level = gs_fix_styles();

	gs_dependency_find(context->schema, context->encoded,
					   options->dependencies, context->rare_threshold,
					   &context->tensors);
	gs_equals_learn(context->schema, context->encoded);
	family->fit(context);
	gs_calibrate(context, family);
	gs_refine_fit(context, family, (int) options->refine);
	keep_learned(context, family, version);
	gs_end_settings(level);
}

/*
 * The column that an option names.
 */
static GsColumn *
named_column(GsSample *sample, const char *name, const char *option)
{
	for (int c = 0; c < sample->ncolumns; c++)
		if (strcmp(sample->columns[c].name, name) == 0)
			return &sample->columns[c];
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of option \"%s\" is not learned", name,
					option),
			 errhint("Name columns of the source.")));
	return NULL;
}

/*
 * What option "kinds" says of a column.
 */
static void
mean_column(GsColumn *column, const char *choice)
{
	const char *reason;

	if (strcmp(choice, "code") == 0)
		column->meant = GS_MEANT_CODE;
	else if (strcmp(choice, "number") == 0)
		column->meant = GS_MEANT_NUMBER;
	else if (strcmp(choice, "format") == 0)
		column->meant = GS_MEANT_FORMAT;
	else
	{
		column->meant = GS_MEANT_KIND;
		column->kind = gs_kind_lookup(choice);
		if (!gs_kind_fits_type(column->kind, column->type, column->typmod,
							   &reason))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"kinds\" cannot be of kind \"%s\"",
							column->name, choice),
					 errhint("%s", reason)));
	}
}

/*
 * Marks the columns that options name.
 */
static void
mark_columns(GsSample *sample, const GsOptions *options)
{
	ListCell   *cell;

	foreach(cell, options->context)
		named_column(sample, lfirst(cell), "context")->context = true;
	foreach(cell, options->impute)
		named_column(sample, lfirst(cell), "impute")->impute = true;
	foreach(cell, options->kinds)
	{
		const GsNamedChoice *kind = lfirst(cell);

		mean_column(named_column(sample, kind->name, "kinds"), kind->choice);
	}
}

/*
 * Lets go of what is as large as the sample.
 */
static void
free_rows(GsEncoded *encoded)
{
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		pfree(encoded->bin[f]);
		if (encoded->segment[f] != NULL)
			pfree(encoded->segment[f]);
		if (encoded->within[f] != NULL)
			pfree(encoded->within[f]);
	}
}

static List *
read_before(const GsFitContext *context)
{
	const GsModelEntry *existing = context->before;

	return existing == NULL ? NIL :
		gs_catalog_tensors(existing, existing->current, NULL);
}

/*
 * What was learned, as it is when it is loaded: columns, and what tensors say
 * of them.
 */
static GsSchema *
load_schema(const GsSchema *learned, const List *tensors)
{
	GsSchema   *schema = palloc0(sizeof(GsSchema));

	schema->ncolumns = learned->ncolumns;
	schema->columns = palloc0(sizeof(GsColumn) * learned->ncolumns);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *from = &learned->columns[c];
		GsColumn   *to = &schema->columns[c];

		to->name = from->name;
		to->type = from->type;
		to->typmod = from->typmod;
		to->type_name = from->type_name;
		to->base_name = from->base_name;
		gs_codec_for_type(&to->codec, to->type, to->typmod);
	}
	gs_schema_load(schema, tensors);
	return schema;
}

/*
 * Notes with whose rights rows are read.
 */
static void
note_rights(const GsSource *source, List **notes)
{
	if (source->bypasses_rls)
	{
		*notes = lappend(*notes,
						 "row-level security was bypassed: rows were learned that others may not see");
		ereport(NOTICE,
				(errmsg("row-level security was bypassed while the source was read"),
				 errhint("Whoever samples the model learns from rows that the policies hide; fit as a role that they apply to if that is not meant.")));
	}
	*notes = list_concat(*notes, source->others);
}

static void
learn(const FitRequest *request, const GsModelEntry *existing,
	  GsVersionEntry *version, GsSource *source)
{
	Learning	learning = {.request = request,.version = version};
	instr_time	begin;
	instr_time	end;

	learning.context.rare_threshold = (int) request->options.rare_threshold;
	learning.context.key = (uint64) request->seed;
	learning.context.options = request->options.own;
	learning.context.known_only = request->known_only;
	learning.context.read_before = read_before;
	learning.context.before = existing;
	INSTR_TIME_SET_CURRENT(begin);
	note_rights(source, &version->notes);
	read_source(&learning.reader, source, request, &version->notes);
	learning.context.begins = source->begins;
	mark_columns(&learning.reader.sample, &request->options);
	gs_mark_computed(source, &learning.reader.sample);
	if (OidIsValid(source->relid))
		learning.constraints = gs_constraints_read(source->relid);
	learn_columns(&learning);
	version->constraints = gs_constraints_decide(learning.constraints,
												 request->options.constraints,
												 learning.formulas,
												 version->schema);
	version->constraints = list_concat(version->constraints, request->links);
	learn_rows(&learning);
	gs_note_acceptance(version,
					   load_schema(version->schema, version->tensors),
					   &version->notes);
	free_rows(learning.context.encoded);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, begin);
	version->seed = request->seed;
	version->rows = learning.reader.seen;
	version->sampled = learning.reader.sample.nrows;
	version->options = request->options_json;
	version->seconds = INSTR_TIME_GET_DOUBLE(end);
}

/*
 * gs_fit_completion: learns columns of a source to complete its rows, in the
 * current context; nothing is stored.
 *
 * learned: C strings, the columns; targets: those among them that are not
 * known.  To be called within an SPI connection.  Errors: those of synth_fit.
 */
const GsModel *
gs_fit_completion(const char *source, List *learned, List *targets,
				  int64 seed)
{
	FitRequest	request = {.family = gs_family_find("auto"),.seed = seed,
	.known_only = true};
	GsVersionEntry *version = palloc0(sizeof(GsVersionEntry));
	GsSource   *opened;
	GsProgress	outer;
	ListCell   *cell;

	gs_options_parse(NULL, request.family, &request.options);
	foreach(cell, learned)
		if (!gs_is_named(targets, lfirst(cell)))
			request.options.context = lappend(request.options.context,
											  lfirst(cell));
	/* NULLs stay where they are, or are filled: none is drawn */
	request.options.impute = targets;
	opened = gs_learnable_source(source, learned, NIL, &version->notes);
	gs_progress_begin("", opened->relid, &outer);
	PG_TRY();
	{
		learn(&request, NULL, version, opened);
	}
	PG_FINALLY();
	{
		gs_progress_end(&outer);
	}
	PG_END_TRY();
	version->schema = load_schema(version->schema, version->tensors);
	return gs_model_of(version, source);
}

/*
 * Keeps the names of the source's columns that were not learned.
 */
static void
save_left_out(const GsSource *source, const GsSchema *schema, List **tensors)
{
	List	   *learned = NIL;

	for (int c = 0; c < schema->ncolumns; c++)
		learned = lappend(learned, schema->columns[c].name);
	if (OidIsValid(source->relid))
		gs_left_out_save(source->relid, learned, tensors);
}

/*
 * The name of the model to be.  A relation has a name for its model, unless
 * other sessions have relations of the same name.
 */
static const char *
model_name(const FitRequest *request, const GsSource *source, bool temporary)
{
	if (request->model != NULL)
		return request->model;
	if (temporary)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model of the temporary relation %s needs a name",
						source->relation),
				 errhint("Name it with the model argument: synth_fit(%s, model => 'name').",
						 quote_literal_cstr(source->relation))));
	if (source->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model of a query needs a name"),
				 errhint("Name it with the model argument: synth_fit('SELECT ...', model => 'name').")));
	return source->model;
}

/*
 * Tables with a privacy budget are not learned from, or the ledger tells.
 */
static void
check_budgets(const FitRequest *request, const char *model,
			  const GsSource *source)
{
	ListCell   *cell;

	foreach(cell, gs_budget_check(source, request->options.unprotected))
		gs_ledger_unprotected(lfirst_oid(cell), model, request->family->name);
}

/*
 * Looks at rows of the model itself, whether they meet its conditions.
 */
static void
try_model(GsSource *source, GsVersionEntry *version)
{
	GsVersionEntry loaded;

	gs_progress_phase(GS_PHASE_STORING, 0, -1);
	loaded = *version;
	loaded.schema = load_schema(version->schema, version->tensors);
	/* a part makes no rows where there are conditions */
	if (!version->part)
		gs_fit_trial(&loaded, &version->notes);
	save_left_out(source, version->schema, &version->tensors);
}

/*
 * The same with differential privacy: see private.c.  All that follows looks
 * at the model alone.
 */
static void
learn_privately(const FitRequest *request, const char *model,
				GsSource *source, GsVersionEntry *version)
{
	GsPrivateRequest private = {model, request->family, &request->options,
	request->epsilon, request->delta};
	GsFitContext context = {.options = request->options.own,.private = true};
	int64		charged;
	int			level;

	note_rights(source, &version->notes);
	charged = gs_private_learn(&private, source, &context, version);
	level = gs_fix_styles();
	keep_learned(&context, request->family, version);
	gs_end_settings(level);
	gs_note_acceptance(version,
					   load_schema(version->schema, version->tensors),
					   &version->notes);
	version->options = request->options_json;
	try_model(source, version);
	gs_catalog_store(model, version, (int) request->options.keep_versions);
	gs_ledger_stored(charged, model, version->version);
}

static void
learn_and_store(const FitRequest *request, const char *model,
				GsSource *source, GsVersionEntry *version)
{
	GsModelEntry *existing = gs_catalog_find(model);

	if (existing != NULL)
		gs_check_refit(existing);
	if (request->private)
	{
		learn_privately(request, model, source, version);
		return;
	}
	gs_check_protection(model, false);
	check_budgets(request, model, source);
	learn(request, existing, version, source);
	try_model(source, version);
	gs_children_count(source->relation,
					  list_concat(gs_links_resolve(source->relid,
												   version->constraints),
								  version->constraints), version->schema,
					  (int) request->options.rare_threshold,
					  &version->tensors);
	gs_catalog_store(model, version, (int) request->options.keep_versions);
}

/*
 * The same, for other sessions to see how far it is.
 */
static void
fit_source(const FitRequest *request, const char *model, GsSource *source,
		   GsVersionEntry *version)
{
	GsProgress	outer;

	gs_progress_begin(model, source->relid, &outer);
	PG_TRY();
	{
		learn_and_store(request, model, source, version);
	}
	PG_FINALLY();
	{
		gs_progress_end(&outer);
	}
	PG_END_TRY();
}

/*
 * gs_fit_source: learns and stores a version of a model of what a source
 * gives, in the current context; its number is version->version.
 *
 * context: C strings, columns that are known of every row, besides those of
 * the options; conditions: the same, that rows have to meet; owners: to be
 * kept with it, or NULL; tensors: the same.  To be called within an SPI
 * connection.  Errors: those of synth_fit.
 */
GsVersionEntry *
gs_fit_source(const GsFitOrder *order, GsSource *source, List *context,
			  List *conditions, Jsonb *owners, List *tensors)
{
	FitRequest	request = {.seed = order->seed};
	GsVersionEntry *version = palloc0(sizeof(GsVersionEntry));

	request.family = find_family(order->method);
	gs_options_parse(order->options, request.family, &request.options);
	request.options.context = list_concat(request.options.context, context);
	request.options.constraints = list_concat(request.options.constraints,
											  conditions);
	request.known_only = context != NIL;
	/* what is known is not drawn: nothing to tell it from */
	if (request.known_only)
		request.options.refine = 0;
	if (order->independent)
		request.options.dependencies = 0;
	request.options_json = options_json(order->options);
	version->source = source->text;
	version->relation = order->part ? NULL : source->relation;
	version->owners = owners;
	version->tensors = tensors;
	request.links = order->links;
	version->part = order->part;
	if (source->ordered)
	{
		GsOptions	defaults;

		gs_options_parse(NULL, &gs_sequence, &defaults);
		/* other families' options mean nothing to this one */
		if (request.family != &gs_tree)
			request.options.own = defaults.own;
		request.family = &gs_sequence;
	}
	gs_catalog_check_name(order->model);
	fit_source(&request, order->model, source, version);
	return version;
}

static void
check_private(const FitRequest *request, const GsSource *source,
			  bool temporary, FunctionCallInfo fcinfo)
{
	GsPrivateRequest private = {request->model, request->family,
		&request->options, request->epsilon, request->delta};

	gs_private_check(&private, source, temporary,
					 PG_ARGISNULL(8) ? NULL : PG_GETARG_JSONB_P(8));
}

/*
 * gs_fit_open: reads the arguments of synth_fit and opens the source, in the
 * current context.  To be called within an SPI connection.  Errors: those of
 * synth_fit before it reads a row.
 */
GsFitCall *
gs_fit_open(FunctionCallInfo fcinfo)
{
	GsFitCall  *call = palloc0(sizeof(GsFitCall));
	FitRequest *request = palloc(sizeof(FitRequest));
	GsSource   *source;

	read_arguments(fcinfo, request);
	gs_model_need_stack();
	source = gs_learnable_source(request->source, request->columns,
								 request->exclude, &call->version.notes);
	call->request = request;
	call->source = source;
	call->temporary = OidIsValid(source->relid) &&
		get_rel_persistence(source->relid) == RELPERSISTENCE_TEMP;
	if (request->private)
		check_private(request, source, call->temporary, fcinfo);
	call->model = model_name(request, source, call->temporary);
	call->method = request->family->name;
	call->version.source = source->text;
	call->version.relation = call->temporary ? NULL : source->relation;
	return call;
}

/*
 * gs_fit_check: an error for a call that is not private, and should be.
 */
void
gs_fit_check(const GsFitCall *call)
{
	const FitRequest *request = call->request;

	gs_check_protection(call->model, request->private);
	if (!request->private)
		(void) gs_budget_check(call->source, request->options.unprotected);
}

/*
 * gs_fit_options: the options of a call, as they are kept with the version.
 */
Datum
gs_fit_options(const GsFitCall *call)
{
	return call->request->options_json;
}

/*
 * gs_fit_run: learns what was opened, and stores it as call->version.
 */
void
gs_fit_run(GsFitCall *call)
{
	const GsOptions *options = &call->request->options;

	if (OidIsValid(call->source->relid) && !call->temporary &&
		!call->request->private &&
		call->request->columns == NIL && call->request->exclude == NIL &&
		options->context == NIL && options->impute == NIL &&
		options->kinds == NIL && options->constraints == NIL &&
		!options->public.on)
		gs_together_learn(call->source->relid, call->model,
						  call->request->family == &gs_tree ?
						  call->request->options_json : options_json(NULL),
						  call->request->seed, &call->version);
	fit_source(call->request, call->model, call->source, &call->version);
}

/*
 * synth_fit: see fit.sql.
 */
GS_FUNCTION(synth_fit);

Datum
synth_fit(PG_FUNCTION_ARGS)
{
	GsFitCall  *call;
	GsVersionEntry *version;
	TupleDesc	desc;
	Datum		values[8];
	bool		nulls[8] = {0};
	Datum	   *texts;
	int			n = 0;
	ListCell   *cell;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "gensynth fit",
												  ALLOCSET_DEFAULT_SIZES);
	HeapTuple	tuple;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	PreventCommandIfReadOnly("synth_fit()");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	call = gs_fit_open(fcinfo);
	gs_fit_run(call);
	version = &call->version;

	MemoryContextSwitchTo(caller);
	texts = palloc(sizeof(Datum) * (list_length(version->notes) + 1));
	foreach(cell, version->notes)
		texts[n++] = CStringGetTextDatum(lfirst(cell));
	values[0] = CStringGetTextDatum(call->model);
	values[1] = Int32GetDatum(version->version);
	values[2] = CStringGetTextDatum(version->method);
	values[3] = CStringGetTextDatum(version->source);
	values[4] = Int64GetDatum(version->rows);
	values[5] = Int32GetDatum(version->schema->ncolumns);
	values[6] = Float8GetDatum(version->seconds);
	nulls[6] = version->epsilon > 0;
	values[7] = PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false,
												TYPALIGN_INT));
	tuple = heap_form_tuple(desc, values, nulls);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
