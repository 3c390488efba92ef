/*
 * options.c
 *	  The options of synth_fit: validated keys of a jsonb object.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "catalog/catalog.h"
#include "fit/options.h"
#include "mask/kinds.h"

/* What becomes of a row that cannot be made to meet a condition. */
static const char *const violations[] = {"error", "drop", "ignore", NULL};

/* What the values of a column are: see GsMeant; the kinds' names follow. */
static const char *kinds[3 + GS_KIND_COUNT + 1] = {"code", "number", "format"};

static const GsOptionDef common[] = {
	GS_OPTION_NUMBER(max_rows, GsOptions, 100, INT64CONST(1000000000), 1000000),
	GS_OPTION_NUMBER(rare_threshold, GsOptions, 1, 1000000, 5),
	{"public", GS_OPTION_FLAG_OR_LIST, offsetof(GsOptions, public), 0, 1, 0,
	"names of tables", "\"wards\"", NULL},
	GS_OPTION_NUMBER(unprotected, GsOptions, 0, 1, 0),
	GS_OPTION_NUMBER(keep_versions, GsOptions, 0, 1000, GS_KEEP_VERSIONS),
	GS_OPTION_NUMBER(dependencies, GsOptions, 0, 1, 1),
	GS_OPTION_NUMBER(differences, GsOptions, 0, 1, 1),
	GS_OPTION_AUTO_NUMBER(refine, GsOptions, 0, 3),
	GS_OPTION_STRINGS(context, GsOptions, "names of columns",
					  "\"sex\", \"age\""),
	GS_OPTION_STRINGS(impute, GsOptions, "names of columns", "\"income\""),
	{"kinds", GS_OPTION_CHOICES, offsetof(GsOptions, kinds), 0, 0, 0,
	"names of columns", "\"zip\": \"code\"", kinds},
	GS_OPTION_STRINGS(constraints, GsOptions, "conditions",
					  "\"discharge >= admission\""),
	GS_OPTION_NAMED_VALUES(bounds, GsOptions, "pairs of values by column",
						   "\"age\": [0, 100]"),
	GS_OPTION_NAMED_VALUES(categories, GsOptions, "lists of values by column",
						   "\"sex\": [\"F\", \"M\"]"),
	GS_OPTION_STRING(privacy_unit, GsOptions, "the name of a column",
					 "\"patient_id\""),
	GS_OPTION_NUMBER(max_rows_per_unit, GsOptions, 1, 1000, 1),
	GS_OPTION_STRING(target, GsOptions, "the name of a column",
					 "\"income\""),
	GS_OPTION_NUMBER(pairs, GsOptions, 0, 1, 1),
	{"domain_share", GS_OPTION_RATE, offsetof(GsOptions, domain_share), 0, 0,
	0, NULL, NULL, NULL},
	{"on_violation", GS_OPTION_CHOICE, offsetof(GsOptions, on_violation),
		0, 0, 0, NULL, NULL, violations}
};

#define VALUE(type, values, def) \
	(*(type *) ((char *) (values) + (def)->offset))

static void
report_unknown(const char *key, const char *method, const GsOptionSet *sets,
			   int nsets)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int s = 0; s < nsets; s++)
		for (int i = 0; i < sets[s].n; i++)
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
							 sets[s].def[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 method ?
			 errmsg("option \"%s\" does not exist for method \"%s\"", key,
					method) :
			 errmsg("option \"%s\" does not exist", key),
			 errhint("The options are %s.", names.data)));
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return value->type == jbvString &&
		value->val.string.len == strlen(string) &&
		memcmp(value->val.string.val, string, value->val.string.len) == 0;
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);
}

static int64
whole_number(const GsOptionDef *option, const JsonbValue *value)
{
	bool		may_be_auto = option->type == GS_OPTION_AUTO;
	double		number = 0;
	bool		fits = value->type == jbvNumeric;

	if (may_be_auto && is_string(value, "auto"))
		return GS_OPTION_IS_AUTO;
	/* what is on or off may be written so */
	if (value->type == jbvBool && option->min == 0 && option->max == 1)
		return value->val.boolean;
	if (fits)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!fits || number != rint(number) || number < option->min ||
		number > option->max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option->name),
				 may_be_auto ?
				 errhint("It is a whole number from " INT64_FORMAT " to " INT64_FORMAT ", or \"auto\", the default.",
						 option->min, option->max) :
				 errhint("It is a whole number from " INT64_FORMAT " to " INT64_FORMAT "; the default is " INT64_FORMAT ".",
						 option->min, option->max, option->value)));
	return (int64) number;
}

/*
 * A rate: over 0, at most 1.
 */
static double
rate(const GsOptionDef *option, const JsonbValue *value)
{
	double		number = 0;

	if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!(number > 0 && number <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option->name),
				 errhint("It is a number above 0, and 1 at most, such as 0.001.")));
	return number;
}

/*
 * One string.
 */
static char *
name_of(const GsOptionDef *option, const JsonbValue *value)
{
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be %s", option->name,
						option->what),
				 errhint("For example options => '{\"%s\": %s}'.",
						 option->name, option->example)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * An array of strings.
 */
static List *
string_list(const GsOptionDef *option, const JsonbValue *value)
{
	List	   *names = NIL;
	bool		fits = is_array(value);

	for (uint32 i = 0; fits && i < JsonContainerSize(value->val.binary.data);
		 i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(value->val.binary.data,
														 i);

		fits = name->type == jbvString;
		if (fits)
			names = lappend(names, pnstrdup(name->val.string.val,
											name->val.string.len));
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be an array of %s", option->name,
						option->what),
				 errhint("For example options => '{\"%s\": [%s]}'.",
						 option->name, option->example)));
	return names;
}

static const char *
choice(const GsOptionDef *option, const JsonbValue *value)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; option->choices[i] != NULL; i++)
	{
		const char *name = option->choices[i];

		if (is_string(value, name))
			return name;
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "", name);
	}
	if (option->type == GS_OPTION_CHOICES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has a value that is not one of %s",
						option->name, names.data),
				 errhint("For example options => '{\"%s\": {%s}}'.",
						 option->name, option->example)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is not one of %s", option->name,
					names.data),
			 errhint("The default is \"%s\".", option->choices[0])));
}

/*
 * An object of names, each with a choice.
 */
static List *
named_choices(const GsOptionDef *option, const JsonbValue *value)
{
	List	   *list = NIL;
	GsNamedChoice *named = NULL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be an object of %s",
						option->name, option->what),
				 errhint("For example options => '{\"%s\": {%s}}'.",
						 option->name, option->example)));
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			named = palloc(sizeof(GsNamedChoice));
			named->name = pnstrdup(item.val.string.val, item.val.string.len);
			list = lappend(list, named);
		}
		else if (token == WJB_VALUE)
			named->choice = choice(option, &item);
	}
	return list;
}

/*
 * A value as text; NULL for JSON's null, an array or an object.
 */
static char *
value_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/*
 * An array of values; NIL if it is anything else, or empty.
 */
static List *
value_list(const JsonbValue *value)
{
	List	   *list = NIL;
	bool		fits = is_array(value);

	for (uint32 i = 0; fits && i < JsonContainerSize(value->val.binary.data);
		 i++)
	{
		char	   *text = value_text(getIthJsonbValueFromContainer(value->val.binary.data,
																	i));

		fits = text != NULL;
		list = lappend(list, text);
	}
	return fits ? list : NIL;
}

/*
 * An object of names, each with an array of values.
 */
static List *
named_values(const GsOptionDef *option, const JsonbValue *value)
{
	List	   *list = NIL;
	bool		fits = value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
	JsonbIterator *iterator = fits ?
		JsonbIteratorInit(value->val.binary.data) : NULL;
	JsonbIteratorToken token;
	JsonbValue	item;
	GsNamedValues *named = NULL;

	while (fits &&
		   (token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			named = palloc(sizeof(GsNamedValues));
			named->name = pnstrdup(item.val.string.val, item.val.string.len);
			list = lappend(list, named);
		}
		else if (token == WJB_VALUE)
		{
			named->values = value_list(&item);
			fits = named->values != NIL;
		}
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be an object of %s",
						option->name, option->what),
				 errhint("For example options => '{\"%s\": {%s}}'.",
						 option->name, option->example)));
	return list;
}

static void
set_option(const GsOptionDef *option, void *values, const JsonbValue *value)
{
	switch (option->type)
	{
		case GS_OPTION_INT:
		case GS_OPTION_AUTO:
			VALUE(int64, values, option) = whole_number(option, value);
			break;
		case GS_OPTION_FLAG_OR_LIST:
			if (is_array(value))
				VALUE(GsFlagOrNames, values, option).names =
					string_list(option, value);
			else
				VALUE(GsFlagOrNames, values, option).on =
					whole_number(option, value);
			break;
		case GS_OPTION_RATE:
			VALUE(double, values, option) = rate(option, value);
			break;
		case GS_OPTION_NAME:
			VALUE(char *, values, option) = name_of(option, value);
			break;
		case GS_OPTION_LIST:
			VALUE(List *, values, option) = string_list(option, value);
			break;
		case GS_OPTION_CHOICE:
			VALUE(const char *, values, option) = choice(option, value);
			break;
		case GS_OPTION_CHOICES:
			VALUE(List *, values, option) = named_choices(option, value);
			break;
		case GS_OPTION_VALUES:
			VALUE(List *, values, option) = named_values(option, value);
			break;
	}
}

static void
set_defaults(const GsOptionSet *set)
{
	for (int i = 0; i < set->n; i++)
	{
		const GsOptionDef *option = &set->def[i];

		if (option->type == GS_OPTION_INT || option->type == GS_OPTION_AUTO)
			VALUE(int64, set->values, option) = option->value;
		else if (option->type == GS_OPTION_CHOICE)
			VALUE(const char *, set->values, option) = option->choices[0];
	}
}

/*
 * Sets the option of a key.  Returns false if it is not in the set.
 */
static bool
set_by_name(const GsOptionSet *set, const char *key, const JsonbValue *value)
{
	for (int i = 0; i < set->n; i++)
	{
		if (strcmp(set->def[i].name, key) != 0)
			continue;
		set_option(&set->def[i], set->values, value);
		return true;
	}
	return false;
}

/*
 * gs_options_read: reads and checks options of some sets; NULL for the
 * defaults.  Allocates in the current context.
 *
 * method: that they are of, for messages, or NULL.  Errors:
 * invalid_parameter_value on anything but an object, on a key that no set has,
 * and on a value out of range.
 */
void
gs_options_read(Jsonb *json, const char *method, const GsOptionSet *sets,
				int nsets)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	for (int s = 0; s < nsets; s++)
		set_defaults(&sets[s]);
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example options => '{\"%s\": " INT64_FORMAT "}'.",
						 sets[0].def[0].name,
						 Max(sets[0].def[0].value, 1))));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		bool		known = false;

		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		for (int s = 0; s < nsets && !known; s++)
			known = set_by_name(&sets[s], key, &value);
		if (!known)
			report_unknown(key, method, sets, nsets);
	}
}

/*
 * gs_options_parse: the options of a fit by a family.  See gs_options_read.
 */
void
gs_options_parse(Jsonb *json, const GsFamily *family, GsOptions *options)
{
	GsOptionSet sets[2] = {
		{common, lengthof(common), options},
		{family->options, family->noptions,
		palloc0(Max(family->options_size, 1))}
	};

	for (int i = 0; i < GS_KIND_COUNT; i++)
		kinds[lengthof(kinds) - 1 - GS_KIND_COUNT + i] = gs_kinds[i].name;
	memset(options, 0, sizeof(GsOptions));
	options->own = sets[1].values;
	gs_options_read(json, family->name, sets, lengthof(sets));
}
