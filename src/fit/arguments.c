/*
 * arguments.c
 *	  What the arguments of synth_fit ask for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "catalog/catalog.h"
#include "fit/fit.h"
#include "fit/fit_internal.h"
#include "mask/kind_type.h"

/* By default, of a fit with epsilon. */
#define DEFAULT_DELTA	1e-6

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

/*
 * gs_fit_family: the family of a method that users may name; an error if there is
 * none.
 */
const GsFamily *
gs_fit_family(const char *method)
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
 * gs_options_json: options as they are kept with a version.
 */
Datum
gs_options_json(Jsonb *options)
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

/*
 * gs_fit_arguments: reads the arguments of synth_fit into *request.  Errors:
 * those of arguments that cannot be.
 */
void
gs_fit_arguments(FunctionCallInfo fcinfo, FitRequest *request)
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
	request->family = gs_fit_family(method);
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
	request->options_json = gs_options_json(PG_ARGISNULL(8) ? NULL :
										 PG_GETARG_JSONB_P(8));
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
 * gs_fit_mark: marks the columns that options name.
 */
void
gs_fit_mark(GsSample *sample, const GsOptions *options)
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
