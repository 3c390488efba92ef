/*
 * given.c
 *	  Conditions on columns, as conditions on the features that a family has.
 *
 * What is asked for is read by the input function of the column's type, and
 * compared as the type compares: 1 and 1.00 are one numeric, and dates may be
 * written in any way.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "codec/notation.h"
#include "encode/encode.h"
#include "condition/given_internal.h"
#include "learn/quantile.h"

#define MAX_BOXES		64
#define NAMES_SHOWN		50
#define LEVELS_SHOWN	10
#define TEXT_SHOWN		60		/* bytes of a value in a message */

/*
 * gs_given_impossible: the conditions cannot be met; of several not together.
 */
void
gs_given_impossible(const GsConditionStats *stats)
{
	if (stats->column != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("what is given for column \"%s\" has probability zero",
						stats->column),
				 errhint("By this model no row meets the condition; give other values, or a wider range.")));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the given values have probability zero together"),
			 errhint("By this model no row meets all of the conditions; give fewer of them.")));
	pg_unreachable();
}

/*
 * A column that is learned as what it adds to another one is not what its
 * feature says.
 */
static void
check_whole(const GsSchema *schema, int c)
{
	const GsColumn *column = &schema->columns[c];

	if (gs_column_has_base(column))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" cannot be given, since it was learned as the difference from \"%s\"",
						column->name,
						schema->columns[column->layout->base[0]].name),
				 errhint("Filter with WHERE, or fit with option \"differences\" set to 0.")));
	if (column->anchor > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" cannot be given, since it was learned as the distance from where \"%s\" is",
						column->name,
						schema->columns[column->anchor - 1].name),
				 errhint("Filter with WHERE, or fit with option \"dependencies\" set to 0.")));
}

static void
report_follower(const GsSchema *schema, int c)
{
	const char *leader = schema->columns[schema->columns[c].moment - 1].name;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" cannot be given, since it follows from \"%s\"",
					schema->columns[c].name, leader),
			 errhint("Give \"%s\", or filter with WHERE.", leader)));
}

static int
find_column(const GsSchema *schema, const char *name)
{
	int			found = gs_schema_column(schema, name);
	StringInfoData names;

	if (found >= 0)
	{
		check_whole(schema, found);
		return found;
	}
	initStringInfo(&names);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		if (c == NAMES_SHOWN)
		{
			appendStringInfoString(&names, ", ...");
			break;
		}
		appendStringInfo(&names, "%s\"%s\"", c > 0 ? ", " : "",
						 schema->columns[c].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the model has no column \"%s\" to be given", name),
			 errhint("Its columns are %s.", names.data)));
	return -1;
}

/*
 * Says which column an error of an input function is about.
 */
static void
input_error(void *arg)
{
	const Reader *reader = arg;

	errcontext("value given for column \"%s\"", reader->column->name);
	errhint("Values are written as they are for type %s, and compared as it compares them.",
			reader->column->type_name);
}

/*
 * A jsonb scalar as a value of the column's base type.
 *
 * The type's modifier is left out, as it would round what no row can hold to
 * what some do.
 */
static Datum
scalar_value(Reader *reader, const JsonbValue *scalar, char **text)
{
	ErrorContextCallback callback = {.callback = input_error,.arg = reader};
	Datum		value;

	switch (scalar->type)
	{
		case jbvString:
			*text = pnstrdup(scalar->val.string.val, scalar->val.string.len);
			break;
		case jbvNumeric:
			*text = DatumGetCString(DirectFunctionCall1(numeric_out,
														NumericGetDatum(scalar->val.numeric)));
			break;
		case jbvBool:
			*text = pstrdup(scalar->val.boolean ? "true" : "false");
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("what is given for column \"%s\" is not a value, a set or a range",
							reader->column->name),
					 errhint("For example {\"a\": 1}, {\"a\": [1, 2, null]} or {\"a\": {\"gte\": 1, \"lt\": 3}}.")));
	}
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	value = InputFunctionCall(&reader->codec.input, *text,
							  reader->codec.ioparam, -1);
	error_context_stack = callback.previous;
	*text = pnstrdup(*text, pg_mbcliplen(*text, strlen(*text), TEXT_SHOWN));
	return value;
}

/*
 * A scalar or level as the user would write it.
 */
static char *
scalar_text(Reader *reader, GsScalar scalar, const char *text)
{
	const GsFeature *feature = reader->feature;
	GsPart		part = {.lane = feature->lane,.scalar = scalar,.text = text,
	.scale = feature->scale,.min_scale = feature->min_scale};

	return OutputFunctionCall(&reader->codec.output,
							  gs_codec_join(&reader->codec, &part));
}

/*
 * What there is to be given, as a hint.
 */
static char *
values_there(Reader *reader)
{
	const GsFeature *feature = reader->feature;
	const GsQuantile *q = &feature->quantile;
	StringInfoData hint;
	int			shown = 0;

	if (reader->column->layout != NULL)
	{
		const GsSum *sum = &reader->column->layout->sum[1];

		return psprintf("Its values are between %s and %s, where the source has any.",
						scalar_text(reader, (GsScalar) {.i = sum->min}, NULL),
						scalar_text(reader, (GsScalar) {.i = sum->max}, NULL));
	}
	/* of which the feature is only the first */
	if (reader->codec.nparts > 1)
		return "Its values have several parts: none but NULL could be given, and it has none.";
	initStringInfo(&hint);
	if (feature->kind == GS_FEATURE_NUMBER)
	{
		appendStringInfo(&hint, "Its values are between %s and %s, where the source has any.",
						 scalar_text(reader, q->low[0], NULL),
						 scalar_text(reader, q->high[q->nsegments - 1], NULL));
		return hint.data;
	}
	for (int i = 0; i < feature->nlevels && shown < LEVELS_SHOWN; i++)
	{
		char	   *text;

		if (i == feature->null_level || i == feature->other_level)
			continue;
		text = scalar_text(reader, feature->level[i], feature->text[i]);
		appendStringInfo(&hint, "%s\"%s\"",
						 shown++ > 0 ? ", " : "Its values include ",
						 pnstrdup(text, pg_mbcliplen(text, strlen(text),
													 TEXT_SHOWN)));
	}
	appendStringInfoString(&hint, shown > 0 ? "; " : "");
	appendStringInfoString(&hint, "values that are too rare to be shown cannot be given.");
	hint.data[0] = pg_toupper(hint.data[0]);
	return hint.data;
}

static void
value_impossible(Reader *reader, const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("column \"%s\" is %s with probability zero",
					reader->column->name, text),
			 errhint("%s", values_there(reader))));
}

/*
 * Only values that come back as they were learned can be asked for.
 */
static void
check_kind(const Reader *reader)
{
	const GsFeature *feature = reader->feature;
	GsContent	content = reader->codec.kind->content;
	int			values = feature->nlevels;
	const char *why = NULL;

	values -= (feature->null_level >= 0) + (feature->other_level >= 0);
	if ((reader->codec.nparts > 1 && reader->column->layout == NULL) ||
		content == GS_CONTENT_JSON ||
		content == GS_CONTENT_ARRAY)
		why = reader->codec.kind->name;
	else if (feature->kind == GS_FEATURE_CATEGORY && values == 0 &&
			 feature->other_level >= 0)
		why = "generated text";
	if (why != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("values of column \"%s\" (%s) cannot be given",
						reader->column->name, why),
				 errhint("Give values of other columns, or filter with WHERE.")));
}

/*
 * Whether a number that is kept as a double comes out as it was given.
 */
static bool
comes_back(Reader *reader, Datum value, GsScalar scalar)
{
	GsPart		part = {.lane = reader->feature->lane,.scalar = scalar,
		.scale = reader->feature->scale,
	.min_scale = reader->feature->min_scale};

	if (reader->codec.part[0].lane != GS_LANE_NUMERIC)
		return true;
	return DatumGetBool(FunctionCall2(&reader->type->eq_opr_finfo, value,
									  gs_codec_join(&reader->codec, &part)));
}

static void
read_value(Reader *reader, const JsonbValue *scalar)
{
	const GsFeature *feature = reader->feature;
	int			before = reader->npieces;
	GsScalarRange range;
	bool		found;
	char	   *text;
	Datum		value;

	if (scalar->type == jbvNull)
	{
		reader->null = true;
		return;
	}
	check_kind(reader);
	reader->value = true;
	value = scalar_value(reader, scalar, &text);
	if (reader->column->layout != NULL)
	{
		int64		moment = reader->codec.kind->scalar(value).i;

		gs_add_moments(reader, moment, moment);
		return;
	}
	if (feature->lane == GS_LANE_TEXT)
		found = gs_allow_text(reader, value);
	else
		found = gs_scalars_point(reader->column, feature, value, &range) &&
			comes_back(reader, value, range.low);
	if (found && reader->leader != NULL &&
		!gs_scalar_is_special(&reader->codec.part[0], GS_LANE_INT, range.low))
		found = gs_follow_range(reader, range);
	else if (found && feature->kind == GS_FEATURE_NUMBER)
	{
		gs_add_pieces(reader, range, true);
		found = reader->npieces > before;
	}
	else if (found && feature->lane != GS_LANE_TEXT)
		found = gs_allow_scalars(reader, range);
	if (!found)
		value_impossible(reader, text);
}

static void
read_set(Reader *reader, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	element;
	JsonbIteratorToken token;

	if (JsonContainerSize(array) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the set given for column \"%s\" is empty",
						reader->column->name),
				 errhint("Leave the column out if it may have any value.")));
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM)
			read_value(reader, &element);
	}
}

static GsBound
bound_of(const Reader *reader, const JsonbValue *key)
{
	static const char *const names[] = {
		[GS_BOUND_GTE] = "gte",[GS_BOUND_GT] = "gt",
		[GS_BOUND_LTE] = "lte",[GS_BOUND_LT] = "lt"
	};

	for (int i = 0; i < lengthof(names); i++)
		if (key->val.string.len == strlen(names[i]) &&
			memcmp(key->val.string.val, names[i], key->val.string.len) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the range given for column \"%s\" has an unknown bound \"%.*s\"",
					reader->column->name,
					pg_mbcliplen(key->val.string.val, key->val.string.len,
								 TEXT_SHOWN), key->val.string.val),
			 errhint("Bounds are \"gte\", \"gt\", \"lte\" and \"lt\".")));
	return GS_BOUND_GTE;
}

static void
empty_range(const Reader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the range given for column \"%s\" is empty",
					reader->column->name),
			 errhint("\"gte\" and \"gt\" are its lower bounds, \"lte\" and \"lt\" its upper ones.")));
}

static void
check_ordered(const Reader *reader)
{
	if ((reader->codec.part[0].lane != GS_LANE_TEXT ||
		 reader->codec.kind->content == GS_CONTENT_LABEL) &&
		(reader->codec.notation == NULL ||
		 gs_notation_is_ordered(reader->codec.notation->format)) &&
		OidIsValid(reader->type->cmp_proc_finfo.fn_oid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a range of column \"%s\" (%s) cannot be given",
					reader->column->name, reader->codec.kind->name),
			 errhint("Ranges are for numbers, dates, times and enums; list the values: {\"%s\": [\"a\", \"b\"]}.",
					 reader->column->name)));
}

static void
both_bounds(const Reader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the range given for column \"%s\" has two bounds on one side",
					reader->column->name),
			 errhint("Give \"gte\" or \"gt\", and \"lte\" or \"lt\".")));
}

/*
 * The range must hold a value of its type before any are looked for: an
 * empty one is a mistake of another sort than one that no row lies in.
 */
static void
check_not_empty(Reader *reader, const Datum *end, const bool *is_set,
				const bool *strict)
{
	int			order;

	if (!is_set[0] || !is_set[1])
		return;
	order = DatumGetInt32(FunctionCall2(&reader->type->cmp_proc_finfo, end[0],
										end[1]));
	if (order > 0 || (order == 0 && (strict[0] || strict[1])))
		empty_range(reader);
}

static void
read_range(Reader *reader, JsonbContainer *object)
{
	const GsFeature *feature = reader->feature;
	JsonbIterator *it = JsonbIteratorInit(object);
	GsScalarRange range = gs_scalars_all(feature);
	JsonbIteratorToken token;
	JsonbValue	item;
	GsBound		bound = GS_BOUND_GTE;
	bool		moment = reader->column->layout != NULL;
	bool		number = feature->kind == GS_FEATURE_NUMBER || moment ||
		reader->leader != NULL;
	bool		holds = true;
	Datum		end[2] = {0, 0};
	bool		is_set[2] = {false, false};
	bool		strict[2] = {false, false};
	char	   *text;

	check_kind(reader);
	check_ordered(reader);
	if (JsonContainerSize(object) == 0)
		empty_range(reader);
	reader->value = true;
	for (int i = 0; !number && i < feature->nlevels; i++)
		reader->allowed[i] = gs_is_value(reader, i);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		int			side;

		if (token == WJB_KEY)
			bound = bound_of(reader, &item);
		if (token != WJB_VALUE)
			continue;
		side = bound == GS_BOUND_LTE || bound == GS_BOUND_LT;
		if (is_set[side])
			both_bounds(reader);
		is_set[side] = true;
		strict[side] = bound == GS_BOUND_GT || bound == GS_BOUND_LT;
		end[side] = scalar_value(reader, &item, &text);
		if (!number)
			gs_bound_levels(reader, bound, end[side]);
		else if (!gs_scalars_bound(reader->column, feature, bound, end[side],
								   &range))
			holds = false;
	}
	check_not_empty(reader, end, is_set, strict);
	if (number && holds && reader->leader != NULL)
		holds = gs_follow_range(reader, range);
	else if (moment && holds)
		gs_add_moments(reader, range.low.i, range.high.i);
	else if (number && holds)
		gs_add_pieces(reader, range, false);
	if (reader->leader == NULL)
		holds = reader->npieces > 0 || reader->nmoments > 0;
	for (int i = 0; !number && i < feature->nlevels; i++)
		holds |= reader->allowed[i];
	if (!holds)
		value_impossible(reader, "within the range given");
}

/*
 * gs_given_multiply: so many copies of all boxes, one after the other.
 * Errors: program_limit_exceeded.
 */
void
gs_given_multiply(GsGiven *given, int by)
{
	int			n = given->nboxes;
	Size		size = sizeof(GsRegion) * Max(given->source->nfeatures, 1);

	if (by > MAX_BOXES / n)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many alternatives are given"),
				 errhint("Give null beside values for at most %d columns of numbers, and few dates and times one by one.",
						 (int) log2(MAX_BOXES))));
	given->box = repalloc(given->box, sizeof(GsRegion *) * by * n);
	for (int i = n; i < by * n; i++)
	{
		given->box[i] = palloc(size);
		memcpy(given->box[i], given->box[i - n], size);
	}
	given->nboxes = by * n;
}

/*
 * What is asked of a column is its own value, not that of another one.
 */
static void
take_own(GsGiven *given, const GsColumn *column)
{
	for (int b = 0; b < given->nboxes && column->equal > 0; b++)
		given->box[b][column->equal_feature] =
			gs_region_of_levels(2, (bool[]) {true, false});
}

/*
 * Adds to all boxes what was read of a column.
 */
static void
add_column(GsGiven *given, Reader *reader)
{
	const GsColumn *column = reader->column;
	const GsFeature *feature = reader->feature;
	int			null_feature = column->null_feature;
	bool		both = reader->null && reader->value && null_feature >= 0;
	int			values = 0;		/* boxes from here on ask for values */
	GsRegion	region = {0};

	if (column->layout != NULL)
	{
		if (!gs_given_moments(given, column - given->source->columns,
							  reader->moments, reader->nmoments,
							  reader->null))
			value_impossible(reader, reader->nmoments == 0 ? "NULL" :
							 "one of the values given");
		take_own(given, column);
		return;
	}
	if (reader->null && null_feature < 0)
	{
		if (feature->null_level < 0)
			value_impossible(reader, "NULL");
		reader->allowed[feature->null_level] = true;
	}
	if (reader->npieces > 0)
	{
		reader->npieces = gs_pieces_order(feature, reader->pieces,
										  reader->npieces);
		gs_number_region(feature, reader->pieces, reader->npieces, &region);
		gs_number_table(reader->pieces, reader->npieces,
						&given->schema->features[reader->index].quantile);
	}
	else if (null_feature < 0 || reader->value)
		region = gs_region_of_levels(feature->nlevels, reader->allowed);
	if (both)
	{
		values = given->nboxes;
		gs_given_multiply(given, 2);
	}
	for (int b = 0; b < given->nboxes; b++)
	{
		bool		is_null = null_feature >= 0 && reader->null &&
			(!both || b < values);

		if (null_feature >= 0)
			given->box[b][null_feature] =
				gs_region_of_levels(2, is_null ? (bool[]) {false, true} :
								 (bool[]) {true, false});
		if (!is_null)
			given->box[b][reader->index] = region;
	}
	take_own(given, column);
}

/*
 * A reader of a column, whose conditions are yet to be read.
 */
static Reader
make_reader(const GsSchema *schema, int c)
{
	const GsColumn *column = &schema->columns[c];
	Reader		reader = {.schema = schema,.column = column,
	.codec = column->codec,.index = column->feature[0]};

	reader.feature = &schema->features[reader.index];
	reader.type = lookup_type_cache(column->codec.type,
									TYPECACHE_EQ_OPR_FINFO |
									TYPECACHE_CMP_PROC_FINFO);
	reader.allowed = palloc0(sizeof(bool) * Max(reader.feature->nlevels, 1));
	return reader;
}

/*
 * A column must not be given twice, by others that follow from it.
 */
static void
check_alone(const GsGiven *given, int c)
{
	const GsColumn *column = &given->source->columns[c];

	if (given->box[0][column->feature[0]].given)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" and those that follow from it cannot be given together",
						column->name),
				 errhint("Give one of them, or filter with WHERE.")));
}

/*
 * A reader of the column that another one is written from.  Errors:
 * feature_not_supported where what that is cannot be taken to it.
 */
static Reader
make_leader(const GsGiven *given, int c)
{
	const GsSchema *schema = given->source;
	const GsCodec *own = &schema->columns[c].codec;
	int			leader = schema->columns[c].moment - 1;
	const GsCodec *from = &schema->columns[leader].codec;
	GsMomentUnit unit = gs_codec_unit(own);

	/* a time of day, or a weekday, is there on many days */
	if (unit == GS_UNIT_NONE || gs_column_has_base(&schema->columns[leader]) ||
		schema->features[schema->columns[c].feature[0]].kind !=
		GS_FEATURE_CATEGORY ||
		(unit == GS_UNIT_CLOCK && gs_codec_unit(from) != GS_UNIT_CLOCK))
		report_follower(schema, c);
	check_alone(given, leader);
	return make_reader(schema, leader);
}

static void
read_column(GsGiven *given, int c, JsonbValue *condition)
{
	const GsSchema *schema = given->source;
	const GsColumn *column = &schema->columns[c];
	Reader		reader;
	Reader		leader;

	if (column->key != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" is a key and cannot be given",
						column->name),
				 errhint("Its values follow from the row numbers and the seed. Choose rows with start and n, or filter with WHERE.")));
	check_alone(given, c);
	reader = make_reader(schema, c);
	if (column->moment > 0)
	{
		leader = make_leader(given, c);
		reader.leader = &leader;
	}
	if (condition->type != jbvBinary)
		read_value(&reader, condition);
	else if (JsonContainerIsArray(condition->val.binary.data))
		read_set(&reader, condition->val.binary.data);
	else
		read_range(&reader, condition->val.binary.data);
	if (reader.leader != NULL)
	{
		/* where it has no NULLs of its own, they are the other's */
		leader.null = reader.null && !gs_has_nulls(column, reader.feature);
		reader.null &= !leader.null;
		reader.value |= leader.null;
		if (leader.null && !leader.value)
			memset(reader.allowed, true, reader.feature->nlevels);
		if (leader.null || leader.value)
			add_column(given, &leader);
	}
	add_column(given, &reader);
}

/*
 * gs_given_parse: reads conditions, in the current context.
 *
 * given: {"column": condition, ...}, a condition being a value, null, an
 * array of these, or an object with "gte", "gt", "lte" and "lt".  Errors:
 * invalid_parameter_value for what is not of this form, undefined_column,
 * feature_not_supported for a column that cannot be given so, data_exception
 * for values of probability zero, and those of the types' input functions.
 */
GsGiven *
gs_given_parse(const GsSchema *schema, Jsonb *given)
{
	GsGiven    *parsed = palloc0(sizeof(GsGiven));
	Size		size = sizeof(GsFeature) * Max(schema->nfeatures, 1);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;
	int			c = -1;

	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("given is not a jsonb object"),
				 errhint("For example given => '{\"sex\": \"F\", \"age\": {\"gte\": 18}}'.")));
	parsed->source = schema;
	parsed->schema = palloc(sizeof(GsSchema));
	*parsed->schema = *schema;
	parsed->schema->features = palloc(size);
	memcpy(parsed->schema->features, schema->features, size);
	parsed->schema->columns = palloc(sizeof(GsColumn) *
									 Max(schema->nall, 1));
	memcpy(parsed->schema->columns, schema->columns,
		   sizeof(GsColumn) * schema->nall);
	parsed->nboxes = 1;
	parsed->box = palloc(sizeof(GsRegion *));
	parsed->box[0] = palloc0(sizeof(GsRegion) * Max(schema->nfeatures, 1));

	it = JsonbIteratorInit(&given->root);
	(void) JsonbIteratorNext(&it, &item, false);	/* the object begins */
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			c = find_column(schema, pnstrdup(item.val.string.val,
											 item.val.string.len));
		else if (token == WJB_VALUE)
			read_column(parsed, c, &item);
	}
	if (JB_ROOT_COUNT(given) == 1)
		parsed->stats.column = schema->columns[c].name;
	return parsed;
}
