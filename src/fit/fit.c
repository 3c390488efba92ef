/*
 * fit.c
 *	  synth_fit: from a source to a stored model.
 *
 *	source -> lanes of a sample -> features and bins -> family -> tensors
 *	-> catalog
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/catalog.h"
#include "catalog/ledger.h"
#include "learn/difference.h"
#include "learn/equal.h"
#include "learn/exact.h"
#include "learn/formula.h"
#include "learn/kind_find.h"
#include "learn/learn.h"
#include "column/left_out.h"
#include "learn/rare.h"
#include "learn/entity_find.h"
#include "learn/notation_learn.h"
#include "column/store.h"
#include "codec/styles.h"
#include "fit/acceptance.h"
#include "fit/budget.h"
#include "fit/children.h"
#include "fit/fit.h"
#include "fit/fit_internal.h"
#include "fit/learnable.h"
#include "fit/options.h"
#include "fit/private.h"
#include "fit/trial.h"
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

/* What learn_columns() and learn_rows() take and make. */
typedef struct Learning
{
	const FitRequest *request;
	GsSample	sample;
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
	GsSample   *sample = &learning->sample;
	List	   *orders = NIL;
	int			level = gs_fix_styles();

	/* while lanes hold the columns' own values */
	if (options->dependencies)
	{
		gs_equals_find(sample);
		learning->formulas = gs_durations_find(sample);
		learning->formulas = list_concat(learning->formulas,
										 gs_formulas_find(sample,
														  gs_mix64(learning->request->seed,
																   3)));
	}
	gs_end_settings(level);
	/* conditions have settings of their own */
	gs_constraints_mark(learning->constraints, options->constraints,
						learning->formulas, columns);
	level = gs_fix_styles();
	if (options->dependencies)
		orders = gs_orders_between(sample);
	gs_notations_find(sample, (int) options->rare_threshold);
	if (options->dependencies)
	{
		gs_leaders_find(sample);
		gs_entity_find(sample, (int) options->rare_threshold);
		gs_exact_find_pairs(sample, (int) options->rare_threshold);
	}
	gs_layouts_find(sample, options->rare_threshold, options->differences,
					orders);
	learning->formulas = list_concat(learning->formulas,
									 gs_orders_left(sample, orders));
	if (options->dependencies)
		gs_exact_find(sample, options->rare_threshold);
	gs_end_settings(level);
}

static void
learn_columns(Learning *learning)
{
	const FitRequest *request = learning->request;
	GsVersionEntry *version = learning->version;
	GsSchema	columns = {.ncolumns = learning->sample.ncolumns,
	.columns = learning->sample.columns};
	int			level;

	gs_progress_phase(GS_PHASE_COLUMNS, 0, columns.ncolumns);
	/* not of rows that are copied */
	if (learning->sample.columns[0].key == NULL)
	{
		gs_kinds_find(&learning->sample, learning->version->relation);
		find_relations(learning, &columns);
	}
	level = gs_fix_styles();
	learning->sample.begins = learning->context.begins;
	version->schema = gs_schema_learn(&learning->sample,
									  request->options.rare_threshold,
									  gs_mix64(request->seed, 0),
									  &learning->context.encoded);
	gs_leaders_nulls(version->schema);
	gs_rare_fill(version->schema, learning->context.encoded,
				 gs_mix64(request->seed, 2));
	learning->context.schema = version->schema;
	gs_note_columns(version->schema, &version->notes);
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
		version->details[c] = gs_column_detail(version->schema,
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

	/* rows of owners are made one after the other, and none again for others */
	gs_dependency_find(context->schema, context->encoded,
					   options->dependencies, context->begins == NULL,
					   context->rare_threshold, &context->tensors);
	gs_learn_rare(context->schema, context->encoded);
	gs_equals_learn(context->schema, context->encoded);
	family->fit(context);
	gs_calibrate(context, family);
	gs_refine_fit(context, family, (int) options->refine);
	keep_learned(context, family, version);
	gs_end_settings(level);
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
	gs_fit_read(&learning.sample, source, request, &version->notes);
	learning.context.begins = source->begins;
	gs_fit_mark(&learning.sample, &request->options);
	gs_mark_computed(source, &learning.sample);
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
	version->rows = learning.sample.seen;
	version->sampled = learning.sample.nrows;
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
					  version->owners, (int) request->options.rare_threshold,
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
 * gs_fit_least: how many rows a source needs to be learned from.  Errors:
 * those of options.
 */
int64
gs_fit_least(const char *method, Jsonb *json)
{
	GsOptions	options;

	gs_options_parse(json, gs_fit_family(method), &options);
	return options.rare_threshold;
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

	request.family = gs_fit_family(order->method);
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
	request.options_json = gs_options_json(order->options);
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

	gs_fit_arguments(fcinfo, request);
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
						  call->request->options_json : gs_options_json(NULL),
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
