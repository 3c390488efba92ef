/*
 * options.c
 *	  The options of synth_fit: validated keys of a jsonb object.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "fit/options.h"

/* The options that are no whole numbers. */
#define LEARNING_RATE	"learning_rate"
#define ORDER			"order"
#define GIVEN			"given"
#define CONSTRAINTS		"constraints"
#define ON_VIOLATION	"on_violation"

typedef struct OptionDef
{
	const char *name;
	int64		least;
	int64		most;
	int64		value;			/* by default */
} OptionDef;

typedef enum OptionIndex
{
	OPTION_MAX_ROWS,
	OPTION_RARE_THRESHOLD,
	OPTION_KEEP_VERSIONS,
	OPTION_DEPENDENCIES,
	OPTION_DIFFERENCES,
	OPTION_MIN_LEAF,
	OPTION_REFINE,
	OPTION_EPOCHS,
	OPTION_STEPS,
	OPTION_STOP_STEP,
	OPTION_TIME_LIMIT,
	OPTION_BATCH_SIZE,
	OPTION_WARM_START,
	OPTIONS
} OptionIndex;

static const OptionDef defaults[OPTIONS] = {
	[OPTION_MAX_ROWS] = {"max_rows", 100, INT64CONST(1000000000), 1000000},
	[OPTION_RARE_THRESHOLD] = {"rare_threshold", 1, 1000000, 5},
	[OPTION_KEEP_VERSIONS] = {"keep_versions", 0, 1000, 2},
	[OPTION_DEPENDENCIES] = {"dependencies", 0, 1, 1},
	[OPTION_DIFFERENCES] = {"differences", 0, 1, 1},
	[OPTION_MIN_LEAF] = {"min_leaf", 5, 1000000, 100},
	[OPTION_REFINE] = {"refine", 0, 3, 0},
	[OPTION_EPOCHS] = {"epochs", 0, 1000000, 0},
	[OPTION_STEPS] = {"steps", 0, INT64CONST(1000000000), 0},
	[OPTION_STOP_STEP] = {"stop_step", 0, INT64CONST(1000000000), 0},
	[OPTION_TIME_LIMIT] = {"time_limit", 0, 10000000, 300},
	[OPTION_BATCH_SIZE] = {"batch_size", 0, 65536, 0},
	[OPTION_WARM_START] = {"warm_start", 0, 1, 0}
};

static void
report_unknown(const char *key)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < OPTIONS; i++)
		appendStringInfo(&names, "\"%s\", ", defaults[i].name);
	appendStringInfoString(&names, "\"" LEARNING_RATE "\", \"" ORDER "\", \"" GIVEN "\", \"" CONSTRAINTS "\", \"" ON_VIOLATION "\"");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" does not exist", key),
			 errhint("The options are %s.", names.data)));
}

static int64
whole_number(const OptionDef *option, const JsonbValue *value)
{
	double		number = 0;
	bool		fits = value->type == jbvNumeric;

	if (fits)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!fits || number != rint(number) || number < option->least ||
		number > option->most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option->name),
				 errhint("It is a whole number from " INT64_FORMAT " to " INT64_FORMAT "; the default is " INT64_FORMAT ".",
						 option->least, option->most, option->value)));
	return (int64) number;
}

/*
 * A rate: over 0, at most 1.
 */
static double
rate(const char *option, const JsonbValue *value)
{
	double		number = 0;

	if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!(number > 0 && number <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option),
				 errhint("It is a number above 0, and 1 at most, such as 0.001.")));
	return number;
}

/*
 * An array of strings.
 */
static List *
string_list(const char *option, const JsonbValue *value, const char *what,
			const char *example)
{
	List	   *names = NIL;
	bool		fits = value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);

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
				 errmsg("option \"%s\" must be an array of %s", option, what),
				 errhint("For example options => '{\"%s\": [%s]}'.", option,
						 example)));
	return names;
}

static void
check_violation(const JsonbValue *value)
{
	static const char *const actions[] = {"error", "drop", "ignore"};

	for (int i = 0; i < lengthof(actions); i++)
		if (value->type == jbvString &&
			value->val.string.len == strlen(actions[i]) &&
			memcmp(value->val.string.val, actions[i],
				   value->val.string.len) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"" ON_VIOLATION "\" must be one of \"error\", \"drop\" and \"ignore\""),
			 errhint("It is about rows that cannot be made to meet a constraint; the default is \"error\".")));
}

/*
 * gs_options_parse: reads and checks the options; NULL for the defaults.
 *
 * Errors: invalid_parameter_value on anything but an object, on a key that
 * does not exist, and on a value out of range.
 */
void
gs_options_parse(Jsonb *json, GsOptions *options)
{
	int64		values[OPTIONS];
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	for (int i = 0; i < OPTIONS; i++)
		values[i] = defaults[i].value;
	options->constraints = NIL;
	options->order = NIL;
	options->given = NIL;
	options->learning_rate = 0;
	if (json != NULL && !JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example options => '{\"max_rows\": 100000}'.")));
	if (json != NULL)
	{
		iterator = JsonbIteratorInit(&json->root);
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			int			i;

			if (token == WJB_KEY)
				key = pnstrdup(value.val.string.val, value.val.string.len);
			if (token != WJB_VALUE)
				continue;
			for (i = 0; i < OPTIONS; i++)
				if (strcmp(defaults[i].name, key) == 0)
					break;
			if (i < OPTIONS)
				values[i] = whole_number(&defaults[i], &value);
			else if (strcmp(key, LEARNING_RATE) == 0)
				options->learning_rate = rate(LEARNING_RATE, &value);
			else if (strcmp(key, ORDER) == 0)
				options->order = string_list(ORDER, &value,
											 "names of columns",
											 "\"sex\", \"age\"");
			else if (strcmp(key, GIVEN) == 0)
				options->given = string_list(GIVEN, &value,
											 "names of columns",
											 "\"sex\", \"age\"");
			else if (strcmp(key, CONSTRAINTS) == 0)
				options->constraints = string_list(CONSTRAINTS, &value,
												   "conditions",
												   "\"discharge >= admission\"");
			else if (strcmp(key, ON_VIOLATION) == 0)
				check_violation(&value);	/* looked up where rows are made */
			else
				report_unknown(key);
		}
	}
	options->max_rows = values[OPTION_MAX_ROWS];
	options->rare_threshold = (int) values[OPTION_RARE_THRESHOLD];
	options->keep_versions = (int) values[OPTION_KEEP_VERSIONS];
	options->dependencies = values[OPTION_DEPENDENCIES] != 0;
	options->differences = values[OPTION_DIFFERENCES] != 0;
	options->min_leaf = (int) values[OPTION_MIN_LEAF];
	options->refine = (int) values[OPTION_REFINE];
	options->epochs = (int) values[OPTION_EPOCHS];
	options->steps = values[OPTION_STEPS];
	options->stop_step = values[OPTION_STOP_STEP];
	options->time_limit = (int) values[OPTION_TIME_LIMIT];
	options->batch_size = (int) values[OPTION_BATCH_SIZE];
	options->warm_start = values[OPTION_WARM_START] != 0;
}
