/*
 * private_public.c
 *	  What is known of columns before a row is read: nothing here is charged,
 *	  so nothing here looks at a row.
 *
 * A boolean's values, an enum's labels, the range of a numeric(p,s), NOT NULL,
 * and what CHECK constraints and domains say in comparisons with constants
 * are in the catalog (private_check.c), which every role can read.  Options "bounds" and
 * "categories" are the caller's own knowledge, and go before it.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/relation.h"
#include "access/stratnum.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "codec/codec_internal.h"
#include "codec/domain.h"
#include "codec/styles.h"
#include "compat.h"
#include "constraint/condition.h"
#include "fit/learnable.h"
#include "fit/private.h"
#include "key/key.h"
#include "table/keys.h"

/* Of a numeric's type, whose range is taken for that of its values. */
#define FEW_DIGITS		3
#define MAX_DIGITS		18
/* Of the ends of a numeric that were found. */
#define END_DIGITS		4

/* A scaled integer beyond it is no value of a numeric's lane. */
#define SCALED_LIMIT	INT64CONST(1000000000000000000)

/* A text that is to be a value of a column. */
typedef struct Given
{
	const char *option;
	const GsColumn *column;
	char	   *text;
	Datum		value;
} Given;

static int
compare(const GsColumn *column, Datum a, Datum b)
{
	TypeCacheEntry *type = lookup_type_cache(column->codec.type,
											 TYPECACHE_CMP_PROC_FINFO);

	return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo,
										   column->collation, a, b));
}

/*
 * gs_public_is_number: whether values of a column are numbers of one part,
 * which have ends.
 */
bool
gs_public_is_number(const GsColumn *column)
{
	const GsCodec *codec = &column->codec;

	return codec->nparts == 1 && codec->kind->content == GS_CONTENT_NUMBERS &&
		codec->part[0].lane != GS_LANE_TEXT;
}

/*
 * gs_public_move: moves an end inward.  which: 0 low, 1 high; open: the end
 * itself is no value.
 */
void
gs_public_move(const GsColumn *column, GsPublic *public, int which, Datum value,
		 bool open)
{
	int			inward = !public->has[which] ? 1 :
		compare(column, value, public->end[which]) * (which == 0 ? 1 : -1);

	if (inward < 0 || (inward == 0 && !open))
		return;
	public->has[which] = true;
	public->open[which] = open;
	public->end[which] = value;
}

/*
 * Decimals and digits of a numeric's type; false if it has none.
 */
static bool
numeric_digits(const GsCodec *codec, int *precision, int *scale)
{
	int32		typmod = codec->typmod - VARHDRSZ;

	if (codec->type != NUMERICOID || codec->typmod < (int32) VARHDRSZ)
		return false;
	*precision = (typmod >> 16) & 0xFFFF;
	*scale = (int16) ((typmod & 0x7FF) ^ 1024) - 1024;
	return true;
}

/*
 * Ends of a numeric within the precision of its type.
 */
static void
limit_numeric(const GsColumn *column, GsPublic *public)
{
	StringInfoData most;
	Datum		value;
	bool		between;
	int			precision;
	int			scale;

	if (!numeric_digits(&column->codec, &precision, &scale))
		return;
	initStringInfo(&most);
	appendStringInfoString(&most, "-0.");
	for (int i = 0; i < Min(precision, MAX_DIGITS); i++)
		appendStringInfoChar(&most, '9');
	appendStringInfo(&most, "e%d", precision - scale);
	for (int which = 0; which < 2; which++)
		if (gs_public_number(column, most.data + (which == 1), &value, &between))
			gs_public_move(column, public, which, value, false);
}

/*
 * What the type says.
 */
static void
read_type(const GsColumn *column, GsPublic *public)
{
	const GsCodec *codec = &column->codec;
	int			precision;
	int			scale;

	public->whole = true;
	if (codec->kind->content == GS_CONTENT_TRUTH)
	{
		public->kind = GS_PUBLIC_LEVELS;
		public->nlevels = 2;
		public->level = palloc0(sizeof(GsScalar) * 2);
		public->text = palloc0(sizeof(char *) * 2);
		public->level[1].i = 1;
	}
	else if (codec->kind->content == GS_CONTENT_LABEL)
	{
		public->kind = GS_PUBLIC_LEVELS;
		public->lane = GS_LANE_TEXT;
		public->nlevels = codec->nlabels;
		public->level = palloc0(sizeof(GsScalar) * codec->nlabels);
		public->text = codec->label;
	}
	else if (codec->type == TIMEOID)
		for (int which = 0; which < 2; which++)
			gs_public_move(column, public, which,
					 codec->kind->datum((GsScalar)
										{.i = which == 0 ? codec->part[0].min :
											codec->part[0].max}), false);
	else if (numeric_digits(codec, &precision, &scale) &&
			 precision <= FEW_DIGITS)
		limit_numeric(column, public);
}

GS_NORETURN static void
refuse_value(const Given *given, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" in option \"%s\" is no value of column \"%s\" of type %s",
					given->text, given->option, given->column->name,
					format_type_be(given->column->declared)),
			 why != NULL ? errdetail("%s", why) : 0,
			 errhint("Write values as PostgreSQL does, such as \"2020-12-31\" for a date.")));
}

static void
parse_given(void *arg)
{
	Given	   *given = arg;
	GsCodec		codec = given->column->codec;

	given->value = InputFunctionCall(&codec.input, given->text, codec.ioparam,
									 codec.typmod);
}

/*
 * A text of an option as a value of the column's base type.
 */
static Datum
given_value(const char *option, const GsColumn *column, char *text)
{
	Given		given = {option, column, text, 0};
	StringInfoData message;
	GsPart		part[GS_MAX_PARTS];
	GsCodec		codec = column->codec;

	initStringInfo(&message);
	if (!gs_condition_try(parse_given, &given, &message))
		refuse_value(&given, message.data);
	gs_codec_split(&codec, given.value, part);
	if (part[0].lane == GS_LANE_NUMERIC ?
		gs_numeric_scale(part[0].text) < 0 :
		gs_scalar_is_special(&codec.part[0], part[0].lane, part[0].scalar))
		refuse_value(&given, "It is infinite, or no number.");
	return given.value;
}

/*
 * The scale of a numeric column whose type leaves it open: as many decimals
 * as values have, and as a cell needs.
 */
static int
open_scale(const GsColumn *column, List *values, double width)
{
	int			precision;
	int			scale = 0;
	ListCell   *cell;

	if (numeric_digits(&column->codec, &precision, &scale))
		return Max(scale, 0);
	if (width > 0)
		scale = Max((int) ceil(-log10(width)), 0);
	foreach(cell, values)
	{
		Datum		value = *(Datum *) lfirst(cell);

		scale = Max(scale, gs_numeric_scale(DatumGetCString(DirectFunctionCall1(numeric_out,
																				value))));
	}
	return Min(scale, 18);
}

/*
 * The scalar of a value, and its text in a TEXT lane.  False where an integer
 * at the column's scale does not hold it.
 */
static bool
value_scalar(const GsColumn *column, const GsPublic *public, Datum value,
			 GsScalar *scalar, char **text)
{
	GsCodec		codec = column->codec;
	GsPart		part[GS_MAX_PARTS];
	int64		above;

	gs_codec_split(&codec, value, part);
	*scalar = part[0].scalar;
	*text = NULL;
	if (part[0].lane == GS_LANE_TEXT)
		*text = pnstrdup(part[0].text, part[0].len);
	if (part[0].lane != GS_LANE_NUMERIC)
		return true;
	gs_numeric_scaled(part[0].text, public->scale, &scalar->i, &above);
	return scalar->i == above && scalar->i > -SCALED_LIMIT &&
		scalar->i < SCALED_LIMIT;
}

/*
 * The lane of a column, and of a numeric its scale.
 */
static void
set_lane(const GsColumn *column, GsPublic *public, List *values,
		 double width)
{
	int			precision;
	int			scale;

	public->lane = column->codec.part[0].lane;
	if (public->lane != GS_LANE_NUMERIC)
		return;
	public->lane = GS_LANE_INT;
	public->scale = open_scale(column, values, width);
	public->min_scale = numeric_digits(&column->codec, &precision, &scale) ?
		public->scale : 0;
}

/* Levels while they are put in order. */
typedef struct Level
{
	GsScalar	scalar;
	char	   *text;
} Level;

static int
compare_levels(const void *a, const void *b, void *lane)
{
	const Level *x = a;
	const Level *y = b;

	if (*(GsLaneType *) lane == GS_LANE_TEXT)
		return strcmp(x->text, y->text);
	if (*(GsLaneType *) lane == GS_LANE_FLOAT)
		return (x->scalar.f > y->scalar.f) - (x->scalar.f < y->scalar.f);
	return (x->scalar.i > y->scalar.i) - (x->scalar.i < y->scalar.i);
}

GS_NORETURN static void
refuse_level(const GsColumn *column, const char *option, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of column \"%s\" %s", option, column->name,
					why),
			 errhint("For example options => '{\"categories\": {\"sex\": [\"F\", \"M\"]}}'.")));
}

/*
 * gs_public_levels: makes values (pointers to Datums) the levels of a column,
 * in their order.
 *
 * option: that names them, whose errors are reported; NULL: a CHECK, whose
 * values of another form leave the column as it is
 */
void
gs_public_levels(const GsColumn *column, GsPublic *public, List *values,
		   const char *option)
{
	Level	   *level = palloc(sizeof(Level) * list_length(values));
	GsPublic	found = *public;
	int			n = 0;
	ListCell   *cell;

	set_lane(column, &found, values, 0);
	foreach(cell, values)
	{
		Level	   *at = &level[n++];

		if (value_scalar(column, &found, *(Datum *) lfirst(cell), &at->scalar,
						 &at->text) &&
			(at->text == NULL || strlen(at->text) <= GS_MAX_LEVEL_BYTES))
			continue;
		if (option == NULL)
			return;
		refuse_level(column, option, "has a value that is too long");
	}
	qsort_arg(level, n, sizeof(Level), compare_levels, &found.lane);
	found.nlevels = 0;
	found.level = palloc(sizeof(GsScalar) * n);
	found.text = palloc(sizeof(char *) * n);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && compare_levels(&level[i], &level[i - 1],
									&found.lane) == 0)
		{
			if (option == NULL)
				continue;
			refuse_level(column, option, "has a value twice");
		}
		found.level[found.nlevels] = level[i].scalar;
		found.text[found.nlevels++] = level[i].text;
	}
	if (found.nlevels > GS_MAX_LEVELS)
	{
		if (option == NULL)
			return;
		refuse_level(column, option, "has too many values");
	}
	found.kind = GS_PUBLIC_LEVELS;
	*public = found;
}

/*
 * The column that an option names.
 */
static int
find_column(const GsColumn *columns, int n, const char *name,
			const char *option)
{
	for (int c = 0; c < n; c++)
		if (strcmp(columns[c].name, name) == 0)
			return c;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of option \"%s\" is not learned", name,
					option),
			 errhint("Name columns of the source.")));
	return -1;
}

static void
read_bounds(const GsColumn *columns, int n, List *bounds, GsPublic *public)
{
	ListCell   *cell;

	foreach(cell, bounds)
	{
		const GsNamedValues *named = lfirst(cell);
		int			c = find_column(columns, n, named->name, "bounds");
		const GsColumn *column = &columns[c];

		if (!gs_public_is_number(column))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"bounds\" names column \"%s\" of type %s, whose values are no numbers",
							column->name, format_type_be(column->declared)),
					 errhint("Option \"categories\" lists all values of a column.")));
		if (list_length(named->values) != 2)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"bounds\" of column \"%s\" is not a pair of values",
							column->name),
					 errhint("For example options => '{\"bounds\": {\"age\": [0, 100]}}'.")));
		memset(&public[c].has, 0, sizeof(public[c].has));
		public[c].kind = GS_PUBLIC_BOUNDS;
		public[c].whole = true;
		for (int which = 0; which < 2; which++)
			gs_public_move(column, &public[c], which,
					 given_value("bounds", column,
								 list_nth(named->values, which)), false);
		if (compare(column, public[c].end[0], public[c].end[1]) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"bounds\" of column \"%s\" leaves no values",
							column->name),
					 errhint("The least comes first, as in [0, 100].")));
	}
}

static void
read_categories(const GsColumn *columns, int n, List *categories,
				GsPublic *public)
{
	ListCell   *cell;

	foreach(cell, categories)
	{
		const GsNamedValues *named = lfirst(cell);
		int			c = find_column(columns, n, named->name, "categories");
		const GsColumn *column = &columns[c];
		List	   *values = NIL;
		ListCell   *value;

		if (column->codec.nparts != 1)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("option \"categories\" names column \"%s\" of type %s, whose values have several parts",
							column->name, format_type_be(column->declared)),
					 errhint("Leave the column out: exclude => '{%s}'.",
							 quote_identifier(column->name))));
		if (public[c].kind == GS_PUBLIC_BOUNDS)
			refuse_level(column, "categories", "is in option \"bounds\" too");
		foreach(value, named->values)
		{
			Datum	   *datum = palloc(sizeof(Datum));

			*datum = given_value("categories", column, lfirst(value));
			values = lappend(values, datum);
		}
		gs_public_levels(column, &public[c], values, "categories");
		public[c].whole = false;
	}
}

/*
 * What may be found of a column that nothing is declared of.
 */
static GsPublicKind
findable(const GsColumn *column, const GsPublic *public)
{
	const GsCodec *codec = &column->codec;

	if (gs_public_is_number(column))
		return public->has[0] && public->has[1] ? GS_PUBLIC_NOTHING :
			GS_PUBLIC_NUMBER;
	return codec->nparts == 1 &&
		(codec->kind->content == GS_CONTENT_TEXT ||
		 codec->kind->content == GS_CONTENT_UUID) ?
		GS_PUBLIC_TEXT : GS_PUBLIC_NOTHING;
}

/*
 * Makes BOUNDS of a column that has both ends by now.
 */
static void
settle(const GsColumn *column, GsPublic *public)
{
	List	   *ends = NIL;
	double		end[2];

	if (public->kind == GS_PUBLIC_LEVELS || public->kind == GS_PUBLIC_KEY)
		return;
	if (!public->has[0] || !public->has[1] ||
		compare(column, public->end[0], public->end[1]) > 0)
	{
		public->kind = findable(column, public);
		return;
	}
	public->level = palloc(sizeof(GsScalar) * 2);
	for (int i = 0; i < 2; i++)
	{
		ends = lappend(ends, &public->end[i]);
		end[i] = column->codec.type != NUMERICOID ? 0 :
			strtod(DatumGetCString(DirectFunctionCall1(numeric_out,
													   public->end[i])),
				   NULL);
	}
	set_lane(column, public, ends, (end[1] - end[0]) / GS_PRIVATE_CELLS);
	for (int i = 0; i < 2; i++)
	{
		char	   *text;

		if (!value_scalar(column, public, public->end[i], &public->level[i],
						  &text))
		{
			if (public->kind == GS_PUBLIC_BOUNDS)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"bounds\" of column \"%s\" has more digits than are counted",
								column->name),
						 errhint("Up to 18 digits are counted, decimals included.")));
			public->kind = GS_PUBLIC_NOTHING;
			return;
		}
		if (public->open[i] && public->lane == GS_LANE_INT)
			public->level[i].i += i == 0 ? 1 : -1;
	}
	public->kind = public->lane == GS_LANE_INT &&
		public->level[0].i > public->level[1].i ? GS_PUBLIC_NOTHING :
		GS_PUBLIC_BOUNDS;
	public->whole = true;
}

/*
 * gs_public_most: the largest float that is an end of a column's values.
 */
double
gs_public_most(const GsColumn *column)
{
	int			precision;
	int			scale = 0;

	if (column->codec.kind->narrow)
		return FLT_MAX;
	if (column->codec.type != NUMERICOID)
		return DBL_MAX;
	return numeric_digits(&column->codec, &precision, &scale) ?
		pow(10, Min(precision, MAX_DIGITS - 1) - Max(scale, 0)) :
		pow(10, MAX_DIGITS - 3);
}

/*
 * An end of a numeric, rounded away from 0 to some digits.
 */
static Datum
round_end(const GsColumn *column, Datum value)
{
	double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
															value));
	int			digits = number == 0 ? 0 :
		END_DIGITS - 1 - (int) floor(log10(fabs(number)));
	int			precision;
	int			scale;

	digits = Max(Min(digits, MAX_DIGITS - END_DIGITS), 0);
	if (numeric_digits(&column->codec, &precision, &scale))
		digits = Max(scale, 0);
	return DirectFunctionCall2(numeric_round, value, Int32GetDatum(digits));
}

/*
 * gs_public_close: gives ends that were found to a column that lacks one or
 * both: what is declared stays.
 */
void
gs_public_close(const GsColumn *column, GsPublic *public, Datum low,
				Datum high)
{
	Datum		found[2] = {low, high};
	bool		declared[2] = {public->has[0], public->has[1]};

	for (int which = 0; which < 2; which++)
	{
		if (column->codec.type == NUMERICOID)
			found[which] = round_end(column, found[which]);
		if (!declared[which])
			gs_public_move(column, public, which, found[which], false);
	}
	if (column->codec.type == NUMERICOID)
		limit_numeric(column, public);
	/* all lie beyond what is declared, or too few are there to tell */
	if (compare(column, public->end[0], public->end[1]) > 0)
	{
		int			which = declared[0] ? 1 : 0;

		public->end[which] = public->end[1 - which];
		public->open[0] = public->open[1] = false;
	}
	settle(column, public);
	if (public->kind != GS_PUBLIC_BOUNDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the values of column \"%s\" cannot be counted",
						column->name),
				 errdetail("That follows from noisy counts, which are paid for."),
				 errhint("Leave the column out with exclude, or declare its bounds.")));
}

/*
 * gs_public_read: what is known of the columns of a source, which shows rows of
 * a table that is locked, before a row of it is read: of BOUNDS, level[0] and level[1] are the
 * ends; NUMBER and TEXT are to be found.
 *
 * columns: [natts] as gs_learnable_column has them; those that are keys get
 * theirs.  Returns [natts], in the current context.  Errors:
 * invalid_parameter_value and undefined_column about the options.
 */
GsPublic *
gs_public_read(const GsSource *source, Oid table, const GsOptions *options,
			   GsColumn *columns)
{
	int			n = source->desc->natts;
	GsPublic   *public = palloc0(sizeof(GsPublic) * n);
	Relation	relation = relation_open(table, NoLock);
	const GsSource whole = {.relid = table};
	int			level = gs_fix_styles();
	List	   *parents = gs_private_parents(source, relation,
											 options->public.names);

	for (int c = 0; c < n; c++)
	{
		GsColumn   *column = &columns[c];
		AttrNumber	attnum = gs_private_column_of(source, c);

		public[c].nullable = true;
		if (attnum > 0)
		{
			Form_pg_attribute attribute =
				TupleDescAttr(RelationGetDescr(relation), attnum - 1);

			public[c].nullable = !attribute->attnotnull;
			/* a view may show the columns under other names */
			if (source->relid != table)
				column->unique |= gs_source_unique(&whole,
												   NameStr(attribute->attname),
												   &column->one_null,
												   &column->partly_unique);
			gs_public_checks(relation, column, attnum, &public[c]);
		}
		if (column->unique)
			column->key = gs_key_of_type(column);
		if (column->key != NULL)
			public[c].kind = GS_PUBLIC_KEY;
		else if (public[c].kind == GS_PUBLIC_NOTHING)
			read_type(column, &public[c]);
	}
	relation_close(relation, NoLock);
	read_bounds(columns, n, options->bounds, public);
	/* what is declared goes over the keys of public parents */
	read_categories(columns, n, parents, public);
	read_categories(columns, n, options->categories, public);
	for (int c = 0; c < n; c++)
	{
		/* what is declared is learned, unique or not */
		if (public[c].kind != GS_PUBLIC_KEY)
			columns[c].key = NULL;
		settle(&columns[c], &public[c]);
	}
	gs_end_settings(level);
	return public;
}

/*
 * gs_public_check: an error for columns whose values are not declared, nor can be found.
 */
void
gs_public_check(const GsColumn *columns, const GsPublic *public, int n)
{
	StringInfoData names;
	int			count = 0;

	initStringInfo(&names);
	for (int c = 0; c < n; c++)
		if (public[c].kind == GS_PUBLIC_NOTHING)
			appendStringInfo(&names, "%s\"%s\" (%s)", count++ > 0 ? ", " : "",
							 columns[c].name,
							 format_type_be(columns[c].declared));
	if (count == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the values of %s %s cannot be found with epsilon",
					count == 1 ? "column" : "columns", names.data),
			 errhint("Leave columns out with exclude, or declare all their values as in options => '{\"categories\": {\"sex\": [\"F\", \"M\"]}}'.")));
}
