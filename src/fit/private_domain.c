/*
 * private_domain.c
 *	  Values of columns that nobody has declared, found in noisy counts.
 *
 * Ends of numbers: rows are counted in cells of signed powers of two, each in
 * two halves, in the type's unit, of dates and times in years from 2000 on.  The ends are those
 * of the outermost cells whose noisy count is so large that an empty one would
 * pass with a probability of EMPTY_PASSES in all.
 *
 * Texts: of each value that there is, the count gets noise, and the value is
 * told if that passes a threshold, which one that a single unit holds does with
 * a probability of its share of delta at most (Korolova, Kenthapadi, Mishra
 * and Ntoulas, WWW 2009; Wilson et al., PoPETs 2020).  These counts are those
 * that the model needs anyway.  SQL groups the values of all such columns, as
 * the caller, and spills by itself.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "catalog/strange.h"
#include "fit/private.h"
#include "numeric/normal.h"
#include "privacy/account.h"

/* That any empty cell of a column seems not to be. */
#define EMPTY_PASSES	1e-3
/* Cells on either side of 0: halves of powers of two, of 1 the one there is. */
#define WHOLE_CELLS		126
#define LEAST_EXPONENT	(-1073)
#define FLOAT_CELLS		4196
#define EPOCH_YEAR		2000
/* Values of a text, at most: those with the largest counts. */
#define MAX_TOLD		10000
/* Columns of texts that are grouped in a pass: as many as GROUPING takes. */
#define MAX_SETS		31

void		(*gs_text_hook) (int column, const char *text,
							 int64 count) = NULL;
void		(*gs_levels_hook) (int column, const GsPrivateVector *noise,
							   int *n, char ***text, int64 **count) = NULL;

/* Numbers whose ends are looked for. */
typedef struct Ends
{
	GsColumn   *columns;
	int			n;
	int		   *column;			/* [n] */
	GsPrivateVector *vector;	/* [n] */
	MemoryContext row;
} Ends;

static bool
is_time(const GsColumn *column)
{
	return column->codec.kind->axis == GS_AXIS_TIME;
}

static bool
is_whole(const GsColumn *column)
{
	return column->codec.part[0].lane == GS_LANE_INT;
}

/*
 * The year, from 2000 on, that a date or moment is in.
 */
static int64
year_of(const GsColumn *column, int64 scalar)
{
	int64		days = scalar;
	int			year;
	int			month;
	int			day;

	if (column->codec.kind->unit == 0)
	{
		days = scalar / USECS_PER_DAY;
		if (scalar < 0 && scalar % USECS_PER_DAY != 0)
			days--;
	}
	j2date((int) (days + POSTGRES_EPOCH_JDATE), &year, &month, &day);
	return year - EPOCH_YEAR;
}

/*
 * How many cells there are on either side of 0.
 */
static int
side_of(const GsColumn *column)
{
	return is_whole(column) ? WHOLE_CELLS : FLOAT_CELLS;
}

static int
whole_cell(int64 value)
{
	uint64		size = value < 0 ? 0 - (uint64) value : (uint64) value;
	int			cell = (int) size;

	if (size > 1)
	{
		int			power = pg_leftmost_one_pos64(size);

		cell = 2 * power + (int) (size >> (power - 1) & 1);
	}
	return WHOLE_CELLS + (value < 0 ? -cell : cell);
}

static int
float_cell(double value)
{
	int			exponent;
	int			cell;

	if (value == 0)
		return FLOAT_CELLS;
	/* a numeric may be beyond the doubles */
	value = Max(Min(value, DBL_MAX), -DBL_MAX);
	cell = fabs(frexp(value, &exponent)) >= 0.75 ? 2 : 1;
	cell += 2 * (Max(exponent, LEAST_EXPONENT) - LEAST_EXPONENT);
	return FLOAT_CELLS + (value < 0 ? -cell : cell);
}

/*
 * The cell of a value; -1: of none, as it is special.
 */
static int
cell_of(const GsColumn *column, Datum value)
{
	GsCodec		codec = column->codec;
	GsPart		part[GS_MAX_PARTS];
	double		number;

	gs_codec_split(&codec, value, part);
	if (is_whole(column))
		return gs_scalar_is_special(&codec.part[0], GS_LANE_INT,
									part[0].scalar) ? -1 :
			whole_cell(is_time(column) ?
					   year_of(column, part[0].scalar.i) : part[0].scalar.i);
	if (part[0].lane == GS_LANE_FLOAT)
		return isfinite(part[0].scalar.f) ? float_cell(part[0].scalar.f) : -1;
	/* NaN, and infinity, are written with letters */
	number = strtod(part[0].text, NULL);
	return strpbrk(part[0].text, "NI") != NULL ? -1 : float_cell(number);
}

static void
count_ends(TupleTableSlot *slot, void *arg)
{
	Ends	   *ends = arg;
	MemoryContext old = MemoryContextSwitchTo(ends->row);

	for (int i = 0; i < ends->n; i++)
	{
		int			cell = slot->tts_isnull[i] ? -1 :
			cell_of(&ends->columns[ends->column[i]],
					slot->tts_values[i]);

		if (cell >= 0)
			ends->vector[i].count[cell]++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(ends->row);
}

/*
 * The value at one end of a year, from 2000 on.
 */
static int64
year_end(const GsColumn *column, int64 year, bool last)
{
	int64		days;

	year = Max(Min(year, 292000), -6713) + EPOCH_YEAR + last;
	days = date2j((int) year, 1, 1) - POSTGRES_EPOCH_JDATE;
	if (column->codec.kind->unit != 0)
		return days - last;
	return days * USECS_PER_DAY - last;
}

/*
 * The least of a cell of whole numbers, by its distance from that of 0.
 */
static uint64
whole_start(int cell)
{
	return cell < 2 ? (uint64) cell :
		(UINT64CONST(2) + cell % 2) << (cell / 2 - 1);
}

/*
 * An end of a cell as a value of the column, within its type.
 *
 * outer: the end that is further from 0
 */
static Datum
cell_end(const GsColumn *column, int cell, bool outer)
{
	const GsPartKind *part = &column->codec.part[0];
	int			side = side_of(column);
	int			size = abs(cell - side);
	bool		negative = cell < side;
	double		number = 0;
	GsScalar	scalar;

	if (is_whole(column))
	{
		uint64		whole = whole_start(size + outer) - outer;

		whole = Min(whole, PG_INT64_MAX);
		scalar.i = negative ? -(int64) whole : (int64) whole;
		if (is_time(column))
			scalar.i = year_end(column, scalar.i, outer != negative);
		scalar.i = Max(Min(scalar.i, part->max), part->min);
		return column->codec.kind->datum(scalar);
	}
	if (size > 0)
		number = ldexp((size - 1 + outer) % 2 == 0 ? 0.5 : 0.75,
					   (size - 1 + outer) / 2 + LEAST_EXPONENT);
	number = Min(number, gs_public_most(column));
	if (negative)
		number = -number;
	if (part->lane == GS_LANE_FLOAT)
		return column->codec.kind->datum((GsScalar) {.f = number});
	return DirectFunctionCall1(float8_numeric, Float8GetDatum(number));
}

/*
 * Sets the ends of a column to those of its outermost cells that are not empty
 * by chance; where there is none, to 0 and 1.
 */
static void
set_ends(const GsColumn *column, const GsPrivateVector *vector,
		 GsPublic *public)
{
	double		least = -gs_normal_quantile(EMPTY_PASSES / vector->ncells) *
		vector->sigma;
	int			side = side_of(column);
	int			low = 0;
	int			high = vector->ncells - 1;

	while (low < vector->ncells && vector->count[low] < least)
		low++;
	while (high > low && vector->count[high] < least)
		high--;
	if (low == vector->ncells)
	{
		low = side;
		high = side + 1;
		if (!is_whole(column))
			high = float_cell(1);
	}
	gs_public_close(column, public, cell_end(column, low, low < side),
					cell_end(column, high, high > side));
}

/*
 * gs_domain_ends: finds the ends of numbers that have none, in one pass over
 * the source.
 *
 * noise: of each vector; public: NUMBER becomes BOUNDS
 */
void
gs_domain_ends(GsSource *source, GsColumn *columns, int ncolumns,
			   GsPublic *public, const GsPrivateVector *noise)
{
	Ends		ends = {.columns = columns};
	List	   *names = NIL;

	ends.column = palloc(sizeof(int) * ncolumns);
	ends.vector = palloc(sizeof(GsPrivateVector) * ncolumns);
	for (int c = 0; c < ncolumns; c++)
	{
		GsPrivateVector *vector = &ends.vector[ends.n];

		if (public[c].kind != GS_PUBLIC_NUMBER)
			continue;
		ends.column[ends.n++] = c;
		names = lappend(names, columns[c].name);
		*vector = *noise;
		vector->ncells = gs_domain_cells(&columns[c]);
		vector->count = palloc0(sizeof(int64) * vector->ncells);
	}
	if (ends.n == 0)
		return;
	ends.row = AllocSetContextCreate(CurrentMemoryContext,
									 "gensynth private row",
									 ALLOCSET_DEFAULT_SIZES);
	/* of these columns alone: rows of units are sorted in each pass */
	gs_source_read(gs_source_open(source->text, names, NIL), count_ends,
				   &ends);
	MemoryContextDelete(ends.row);
	for (int i = 0; i < ends.n; i++)
	{
		gs_release(&ends.vector[i]);
		set_ends(&columns[ends.column[i]], &ends.vector[i],
				 &public[ends.column[i]]);
	}
}

/*
 * gs_domain_cells: in how many cells the ends of a number are looked for.
 */
int
gs_domain_cells(const GsColumn *column)
{
	return 2 * side_of(column) + 1;
}

/* A text with its noisy count. */
typedef struct Told
{
	char	   *text;
	int64		count;
} Told;

/* The values of a column, one by one. */
typedef struct Texts
{
	int			left;			/* columns that follow, of those that are asked */
	const GsPrivateVector *noise;	/* of each count */
	GsReleaser *releaser;
	int64		least;			/* threshold */
	int64		nulls;
	Told	   *told;			/* [n] */
	int			n;
	int			room;
	MemoryContext context;
} Texts;

static void
read_text(TupleTableSlot *slot, void *arg)
{
	Texts	   *texts = arg;
	int64		count = DatumGetInt64(slot->tts_values[1]);
	uint32		others = (uint32) DatumGetInt32(slot->tts_values[2]);
	text	   *value;

	/* of all bits, the last column's being the lowest, its own is not set */
	while (others & ((uint32) 1 << texts->left))
		texts++;
	if (slot->tts_isnull[0])
	{
		texts->nulls = count;
		return;
	}
	value = DatumGetTextPP(slot->tts_values[0]);
	if (gs_text_hook != NULL)
		gs_text_hook(texts->left, text_to_cstring(value), count);
	count = gs_release_one(texts->releaser, count);
	/* a longer one is no level, whoever has it */
	if (count < texts->least || VARSIZE_ANY_EXHDR(value) > GS_MAX_LEVEL_BYTES)
		return;
	if (texts->n == texts->room)
		texts->told = repalloc_huge(texts->told, sizeof(Told) *
									(texts->room *= 2));
	texts->told[texts->n++] = (Told)
	{
		MemoryContextStrdup(texts->context, text_to_cstring(value)), count
	};
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(((const Told *) a)->text, ((const Told *) b)->text);
}

/*
 * By the largest count, and of the same, by bytes: not in the order in which
 * they have come.
 */
static int
by_count(const void *a, const void *b)
{
	int64		x = ((const Told *) a)->count;
	int64		y = ((const Told *) b)->count;

	return x != y ? (x < y) - (x > y) : by_bytes(a, b);
}

/*
 * Those that are told become the levels, in the order of their bytes, and
 * their counts those of the column.
 */
static void
set_texts(Texts *texts, GsPublic *public)
{
	char	  **text;
	int64	   *count;
	int			n = texts->n;

	if (n > MAX_TOLD)
	{
		qsort(texts->told, n, sizeof(Told), by_count);
		n = MAX_TOLD;
	}
	qsort(texts->told, n, sizeof(Told), by_bytes);
	text = palloc(sizeof(char *) * (n + 1));
	count = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		text[i] = texts->told[i].text;
		count[i] = texts->told[i].count;
	}
	/* NULL is a level whether there is one or not */
	count[n] = gs_release_one(texts->releaser, texts->nulls);
	if (gs_text_hook != NULL)
		gs_text_hook(texts->left, NULL, texts->nulls);
	if (gs_levels_hook != NULL)
		gs_levels_hook(texts->left, texts->noise, &n, &text, &count);
	public->kind = GS_PUBLIC_LEVELS;
	public->whole = false;
	public->lane = GS_LANE_TEXT;
	public->nlevels = n;
	public->text = text;
	public->level = palloc0(sizeof(GsScalar) * (n + 1));
	public->count = count;
}

/*
 * The values of some columns, each with how many rows have it: a pass over the
 * source, in which each column is a grouping set of its own.
 */
static GsSource *
group_texts(const GsSource *source, const GsPrivateText *asked, int n)
{
	StringInfoData columns;
	StringInfoData values;
	StringInfoData sets;

	initStringInfo(&columns);
	initStringInfo(&values);
	initStringInfo(&sets);
	for (int i = 0; i < n; i++)
	{
		const char *comma = i > 0 ? ", " : "";

		appendStringInfo(&columns, "%s(%s) COLLATE pg_catalog.\"C\" AS v%d",
						 comma,
						 gs_as_text(quote_identifier(asked[i].column->name),
									asked[i].column->type), i);
		appendStringInfo(&values, "%sv%d", comma, i);
		appendStringInfo(&sets, "%s(v%d)", comma, i);
	}
	return gs_source_open(psprintf("SELECT COALESCE(%s) AS value, pg_catalog.count(*) AS n,"
								   " GROUPING(%s) AS others FROM (SELECT %s FROM (%s) AS source)"
								   " AS texts GROUP BY GROUPING SETS (%s)",
								   values.data, values.data, columns.data,
								   source->query, sets.data),
						  NIL, NIL);
}

/*
 * The same of MAX_SETS columns at most.
 */
static void
find_texts(GsSource *source, const GsPrivateText *asked, int n, double delta,
		   int unit_rows)
{
	Texts	   *texts = palloc0(sizeof(Texts) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		texts[i].left = n - 1 - i;
		texts[i].noise = asked[i].noise;
		texts[i].room = 64;
		texts[i].context = CurrentMemoryContext;
		texts[i].told = palloc(sizeof(Told) * texts[i].room);
		texts[i].releaser = gs_releaser_begin(asked[i].noise);

		/*
		 * A unit may hold as many values as it has rows; of the discrete
		 * noise, what is a step further is as unlikely as the continuous
		 * (Canonne et al., proposition 25).
		 */
		texts[i].least = unit_rows + 1 +
			(int64) ceil(-gs_normal_quantile(delta / unit_rows) *
						 asked[i].noise->sigma);
	}
	gs_source_read(group_texts(source, asked, n), read_text, texts);
	for (int i = 0; i < n; i++)
	{
		set_texts(&texts[i], asked[i].public);
		gs_releaser_end(texts[i].releaser);
	}
}

/*
 * gs_domain_texts: finds the values of texts that have none declared, with
 * their noisy counts.
 *
 * asked: [n] columns whose TEXT becomes LEVELS; delta: that a value that one
 * unit holds is told, of each; unit_rows: that a unit has at most.  Errors:
 * invalid_parameter_value where nothing is left of one.
 */
void
gs_domain_texts(GsSource *source, const GsPrivateText *asked, int n,
				double delta, int unit_rows)
{
	for (int i = 0; i < n; i += MAX_SETS)
		find_texts(source, asked + i, Min(n - i, MAX_SETS), delta, unit_rows);
	for (int i = 0; i < n; i++)
	{
		const char *name = asked[i].column->name;

		if (asked[i].public->nlevels == 0 && !asked[i].public->nullable)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no value of column \"%s\" is held by enough rows to be told",
							name),
					 errdetail("That was found out in noisy counts, which are paid for."),
					 errhint("Leave the column out with exclude, or declare its values: options => '{\"categories\": {\"%s\": [...]}}'.",
							 name)));
	}
}
