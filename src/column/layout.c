/*
 * layout.c
 *	  Columns that are learned in other parts than their type has.
 *
 * A discharge follows its admission, a time of arrival the moment that it is
 * the arrival of, and both have their days of the week.  A column whose
 * values follow another one's is learned as what it adds to that one, so
 * that the order of the two, and how far they are apart, hold by
 * construction.  Moments that follow the calendar are learned by it: as weeks
 * or months, days within these, and times of day, so that all that goes with
 * a Sunday or the end of a month can be learned.
 *
 * Where a base is NULL, or infinite, the next one counts, or the highest of
 * those that are not, and where there is none left, the value stands for itself.
 *
 * Tensors:
 *	 layout			int8 [N, LAYOUT_FIELDS], of the columns that have one
 *	 layout/scale	int4 [columns]	1 + decimals of floats kept whole; 0: others
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"

#include "codec/codec_internal.h"
#include "column/column.h"

/* Special values among differences and units. */
#define MINUS		PG_INT64_MIN
#define PLUS		(PG_INT64_MAX - 1)	/* and NaN above it */

/* Far values among them: themselves and FAR. */
#define FAR			(INT64CONST(1) << 62)
#define FAR_BEGIN	(FAR - FAR / 4)

#define MAX_BEYOND	1e18

enum
{
	LAYOUT_COLUMN,
	LAYOUT_ASPECT,
	LAYOUT_SINCE,
	LAYOUT_SINCE_TIMES,
	LAYOUT_SIGN,
	LAYOUT_EXACT,
	LAYOUT_BOTH,
	LAYOUT_MIN,
	LAYOUT_MAX,
	LAYOUT_FAR_MIN,
	LAYOUT_FAR_MAX,
	LAYOUT_NBASES,
	LAYOUT_BASES,				/* column, times, per of each */
	LAYOUT_SUMS = LAYOUT_BASES + 3 * GS_MAX_BASES,
	/* of each: unit, or -1 if there is none of this; min; max */
	LAYOUT_FIELDS = LAYOUT_SUMS + 2 * 3
};

/*
 * The parts of one sum, from part *at on.
 */
static void
set_parts(GsCodec *codec, const GsLayout *layout, const GsSum *sum, int *at)
{
	GsPartKind *part = &codec->part[*at];

	if (sum->nparts == 0)
		return;
	*at += sum->nparts;
	*part = (GsPartKind)
	{
		.lane = GS_LANE_INT,.min = PG_INT64_MIN,.max = PG_INT64_MAX,
			.special = true,.minus = MINUS,.plus = PLUS
	};
	if (sum->unit == GS_CALENDAR_WEEK || sum->unit == GS_CALENDAR_MONTH)
		*++part = (GsPartKind)
	{
		.lane = GS_LANE_INT,.min = 0,.max = GS_LAST_DAY
	};
	if (sum->unit != GS_CALENDAR_NONE && layout->per_day > 1)
		*++part = (GsPartKind)
	{
		.lane = GS_LANE_INT,.min = 0,.max = layout->per_day - 1
	};
}

static int
count_parts(GsCalendar unit, int64 per_day)
{
	return 1 + (unit == GS_CALENDAR_WEEK || unit == GS_CALENDAR_MONTH) +
		(unit != GS_CALENDAR_NONE && per_day > 1);
}

/*
 * gs_layout_set: lets a column be learned so.
 *
 * layout: its units are set, and which sums there are by nparts other than 0;
 * the numbers of parts are set.
 */
void
gs_layout_set(GsColumn *column, GsLayout *layout)
{
	const GsCodecKind *kind = column->codec.kind;
	int			at = 0;

	layout->per_day = kind->axis == GS_AXIS_TIME ?
		(int64) (USECS_PER_DAY / (kind->unit > 0 ? kind->unit : 1)) : 0;
	for (int s = 0; s < 2; s++)
	{
		if (layout->sum[s].nparts > 0)
			layout->sum[s].nparts = count_parts(layout->sum[s].unit,
												layout->per_day);
		set_parts(&column->codec, layout, &layout->sum[s], &at);
	}
	column->codec.nparts = at;
	column->layout = layout;
}

/*
 * A product, or half of the largest number there is.
 */
static inline int64
times(int64 value, int64 by)
{
	int64		product;

	if (pg_mul_s64_overflow(value, by, &product))
		return value < 0 ? PG_INT64_MIN / 2 : PG_INT64_MAX / 2;
	return product;
}

/*
 * gs_layout_origin: what a column's value is the sum with, of the value of
 * one of its bases, which is neither NULL nor special.
 *
 * since: that of layout->since, if the aspect is of two
 */
int64
gs_layout_origin(const GsLayout *layout, int base, int64 value, int64 since)
{
	int64		origin = times(value, layout->times[base]);
	int64		per = layout->per[base];

	if (layout->aspect >= GS_ASPECT_FIRST_TO)
		return gs_aspect_of(layout->aspect, origin, layout->since_times);
	if (layout->aspect != GS_ASPECT_SAME)
		return gs_aspect_of(layout->aspect, origin,
						  times(since, layout->since_times));
	/* a date that is never before a time stamp is above its day */
	if (per > 1)
		origin = origin / per +
			(layout->sign > 0 ? origin % per > 0 : -(origin % per < 0));
	return origin;
}

/*
 * gs_layout_least: what a value is the sum with where no base has one, if it
 * has no parts for that.
 */
int64
gs_layout_least(const GsLayout *layout)
{
	return layout->sum[1].max - layout->sum[0].max;
}

/*
 * gs_layout_limit: sets the least and the largest value of a column's type, of
 * a numeric at a scale.
 */
void
gs_layout_limit(const GsColumn *column, int scale, GsLayout *layout)
{
	const GsPartKind *kind = &column->codec.kind->part[0];
	int32		typmod = column->codec.typmod - (int32) VARHDRSZ;

	layout->min = kind->min;
	layout->max = kind->max;
	if (kind->lane != GS_LANE_NUMERIC)
		return;
	layout->max = INT64CONST(1000000000000000000) - 1;
	if (typmod >= 0)
	{
		int			digits = ((typmod >> 16) & 0xFFFF) + scale -
			(((typmod & 0x7FF) ^ 1024) - 1024);

		if (digits < 18)
			layout->max = (int64) rint(pow(10, Max(digits, 0))) - 1;
	}
	layout->min = -layout->max;
}

static bool
reaches_unseen(const GsColumn *columns, int from, int to, Bitmapset **seen)
{
	const GsLayout *layout = columns[from].layout;

	if (from == to)
		return true;
	if (layout == NULL || bms_is_member(from, *seen))
		return false;
	check_stack_depth();
	*seen = bms_add_member(*seen, from);
	for (int b = 0; b < layout->nbases; b++)
		if (reaches_unseen(columns, layout->base[b], to, seen))
			return true;
	return layout->since >= 0 &&
		reaches_unseen(columns, layout->since, to, seen);
}

/*
 * gs_layout_reaches: whether a column is, or is told from, another one.
 */
bool
gs_layout_reaches(const GsColumn *columns, int from, int to)
{
	Bitmapset  *seen = NULL;
	bool		found = reaches_unseen(columns, from, to, &seen);

	bms_free(seen);
	return found;
}

/*
 * gs_layout_takes: whether a value is the sum with what one more of its bases
 * comes to, other, where those before it came to origin, if found.
 */
bool
gs_layout_takes(const GsLayout *layout, bool found, int64 origin, int64 other)
{
	return !found || (layout->highest && other > origin);
}

/*
 * gs_layout_is_special: whether a value of a column, in an INT lane, is none
 * to add to.
 */
bool
gs_layout_is_special(const GsColumn *column, int64 value)
{
	const GsLayout *layout = column->layout;
	const GsPartKind *kind = &column->codec.kind->part[0];

	return (kind->special && (value <= kind->minus || value >= kind->plus)) ||
		(layout != NULL &&
		 (value < layout->far_min || value > layout->far_max));
}

/*
 * gs_layout_has_ends: whether all values of a column, the feature of whose
 * first part is count, lie between the ends of its own values.
 */
bool
gs_layout_has_ends(const GsColumn *column, const GsFeature *count)
{
	const GsQuantile *q = &count->quantile;

	if (column->layout->nbases > 0 ||
		column->layout->sum[1].unit == GS_CALENDAR_NONE)
		return false;
	for (int i = 0; i < count->nlevels; i++)
		if (count->level[i].i == MINUS || count->level[i].i > FAR_BEGIN)
			return false;
	return q->nsegments == 0 || (q->low[0].i > MINUS &&
								 q->high[q->nsegments - 1].i <= FAR_BEGIN);
}

/*
 * A special value among differences and units.
 */
static int64
split_special(const GsPartKind *kind, int64 value)
{
	if (kind->special && value <= kind->minus)
		return MINUS;
	if (kind->special && value >= kind->plus)
		return PLUS + (value > kind->plus);
	return FAR + Min(Max(value, -FAR / 4 + 1), FAR / 4 - 1);
}

static int64
join_special(const GsPartKind *kind, int64 value)
{
	if (value == MINUS)
		return kind->minus;
	return kind->plus + (value > PLUS && kind->plus < PG_INT64_MAX);
}

/*
 * The parts of a value in one of the sums: see gs_layout_split.
 */
static bool
split_sum(const GsColumn *column, int64 value, const int64 *origin,
		  GsLayoutParts *parts)
{
	const GsLayout *layout = column->layout;
	const GsPartKind *kind = &column->codec.kind->part[0];
	const GsSum *sum = &layout->sum[origin == NULL];
	int			at = origin == NULL ? layout->sum[0].nparts : 0;
	GsCalendarDay	moment;

	if (sum->nparts == 0)
		return false;
	parts->absent[at] = false;
	if (gs_layout_is_special(column, value))
	{
		parts->value[at].i = split_special(kind, value);
		return true;
	}
	if (sum->unit == GS_CALENDAR_NONE)
	{
		parts->value[at].i = value;
		if (origin != NULL &&
			pg_sub_s64_overflow(value, *origin, &parts->value[at].i))
		{
			parts->absent[at] = true;
			return false;
		}
		/* a time of day comes round */
		if (layout->aspect == GS_ASPECT_TIME && parts->value[at].i < 0)
			parts->value[at].i += USECS_PER_DAY;
		return true;
	}
	moment = origin == NULL ?
		gs_calendar_split(sum->unit, layout->per_day, value) :
		gs_calendar_since(sum->unit, layout->per_day, value, *origin,
						layout->sign < 0);
	parts->value[at++].i = moment.count;
	if (sum->unit != GS_CALENDAR_DAY)
	{
		parts->absent[at] = false;
		parts->value[at++].i = moment.day;
	}
	if (layout->per_day > 1)
	{
		parts->absent[at] = false;
		parts->value[at].i = moment.time;
	}
	return true;
}

/*
 * gs_layout_split: the parts of a value.
 *
 * origin: what it is a sum with; NULL if there is none.  Returns false if
 * there are no parts for it: all are absent.
 */
bool
gs_layout_split(const GsColumn *column, int64 value, const int64 *origin,
				GsLayoutParts *parts)
{
	memset(parts->absent, true, sizeof(parts->absent));
	return split_sum(column, value, origin, parts) &&
		(origin == NULL || !column->layout->both ||
		 split_sum(column, value, NULL, parts));
}

/*
 * The values that a sum may come to, if there are any: as far from the origin
 * as in the source, and between the ends of the column's own.
 */
static void
find_window(const GsLayout *layout, const GsSum *sum, const int64 *origin,
			int64 *min, int64 *max)
{
	*min = sum->min;
	*max = sum->max;
	if (origin == NULL)
		return;
	if (pg_add_s64_overflow(*min, *origin, min))
		*min = PG_INT64_MIN;
	if (pg_add_s64_overflow(*max, *origin, max))
		*max = PG_INT64_MAX;
	if (!layout->exact && layout->sum[1].min <= *max &&
		*min <= layout->sum[1].max)
	{
		*min = Max(*min, layout->sum[1].min);
		*max = Min(*max, layout->sum[1].max);
	}
}

/*
 * A moment by the calendar.  Where it lies beyond what there is (a Sunday of
 * the last week, of which there was only the Monday), it is taken back by so
 * many units.
 */
static int64
join_moment(const GsLayout *layout, const GsSum *sum, GsCalendarDay moment,
			const int64 *origin, int64 min, int64 max)
{
	static const int days[] = {
		[GS_CALENDAR_DAY] = 1,[GS_CALENDAR_WEEK] = 7,[GS_CALENDAR_MONTH] = 28
	};
	int64		value = 0;

	for (int try = 0; try < 4; try++)
	{
		double		beyond;

		value = origin == NULL ?
			gs_calendar_join(sum->unit, layout->per_day, moment) :
			gs_calendar_after(sum->unit, layout->per_day, moment, *origin,
							  layout->sign < 0);
		if (value >= min && value <= max)
			return value;
		beyond = value < min ? (double) min - (double) value :
			(double) max - (double) value;
		beyond = Min(Max(beyond, -MAX_BEYOND), MAX_BEYOND);
		moment.count += (int64) (beyond / days[sum->unit] / layout->per_day) +
			(beyond > 0 ? 1 : -1);
	}
	return Min(Max(value, min), max);
}

/*
 * A value that lies beyond what there is, as far on this side of the end.
 */
static int64
fold(int64 value, int64 min, int64 max)
{
	int64		folded;

	if (value >= min && value <= max)
		return value;
	if (pg_sub_s64_overflow(value > max ? max : min, value, &folded) ||
		pg_add_s64_overflow(folded, value > max ? max : min, &folded))
		folded = min;
	return Min(Max(folded, min), max);
}

/*
 * gs_layout_join: a value of its parts, within what its type can hold.
 *
 * origin: as gs_layout_split
 */
int64
gs_layout_join(const GsColumn *column, const GsLayoutParts *parts,
			   const int64 *origin)
{
	const GsLayout *layout = column->layout;
	const GsPartKind *kind = &column->codec.kind->part[0];
	const GsSum *sum = &layout->sum[origin == NULL];
	int			at = origin == NULL ? layout->sum[0].nparts : 0;
	int64		value = parts->value[at].i;
	GsCalendarDay moment = {.count = value};
	int64		min;
	int64		max;

	if (value == MINUS || value >= PLUS)
		return kind->special ? join_special(kind, value) : layout->max;
	if (value > FAR_BEGIN)
	{
		value -= FAR;
		/* else it is in a gap */
		if (value < layout->far_min || value > layout->far_max)
			return Min(Max(value, layout->min), layout->max);
		moment.count = value = sum->max;
	}
	if (sum->unit == GS_CALENDAR_NONE)
	{
		if (origin != NULL && pg_add_s64_overflow(value, *origin, &value))
			return *origin < 0 ? layout->min : layout->max;
		if (layout->aspect == GS_ASPECT_TIME && origin != NULL)
			value %= USECS_PER_DAY;
		if (layout->aspect == GS_ASPECT_SAME)
		{
			find_window(layout, sum, origin, &min, &max);
			if ((value < min && layout->min_reached) ||
				(value > max && layout->max_reached))
				value = Min(Max(value, min), max);
			value = fold(value, min, max);
		}
		return Min(Max(value, layout->min), layout->max);
	}
	if (sum->unit != GS_CALENDAR_DAY)
		moment.day = parts->value[++at].i;
	if (layout->per_day > 1)
		moment.time = parts->value[++at].i;
	find_window(layout, sum, origin, &min, &max);
	value = join_moment(layout, sum, moment, origin, min, max);
	return Min(Max(value, layout->min), layout->max);
}

/*
 * gs_layout_nulls: the features that tell which parts of a column have a
 * value: whether its bases are NULL.
 *
 * feature, code: [nbases + 1] room; a feature, or -1 for what is never NULL,
 * and its code of NULL; the last is that of layout->since, if there is one.
 * Returns how many there are.
 */
int
gs_layout_nulls(const GsSchema *schema, int column, int *feature, int *code)
{
	const GsLayout *layout = schema->columns[column].layout;
	int			n = 0;

	if (layout == NULL)
		return 0;
	for (; n < layout->nbases; n++)
		feature[n] = gs_column_null(schema, layout->base[n], &code[n]);
	if (layout->since >= 0)
	{
		feature[n] = gs_column_null(schema, layout->since, &code[n]);
		n++;
	}
	return n;
}

/*
 * gs_layout_part_absent: whether a part of a column has no value where its
 * bases are NULL, or not.
 *
 * is_null: [gs_layout_nulls]
 */
bool
gs_layout_part_absent(const GsLayout *layout, int part, const bool *is_null)
{
	bool		sum = layout->from_least;

	for (int b = 0; b < layout->nbases; b++)
		sum |= !is_null[b];
	if (layout->since >= 0)
		sum &= !is_null[layout->nbases];
	if (part < layout->sum[0].nparts)
		return !sum;
	return sum && !layout->both;
}

static void
save_layout(const GsLayout *layout, int column, int64 *field)
{
	field[LAYOUT_COLUMN] = column;
	field[LAYOUT_ASPECT] = layout->aspect;
	field[LAYOUT_SINCE] = layout->since;
	field[LAYOUT_SINCE_TIMES] = layout->since_times;
	field[LAYOUT_SIGN] = layout->sign;
	field[LAYOUT_EXACT] = layout->exact | layout->min_reached << 1 |
		layout->max_reached << 2 | layout->highest << 3 |
		layout->from_least << 4;
	field[LAYOUT_BOTH] = layout->both;
	field[LAYOUT_MIN] = layout->min;
	field[LAYOUT_MAX] = layout->max;
	field[LAYOUT_FAR_MIN] = layout->far_min;
	field[LAYOUT_FAR_MAX] = layout->far_max;
	field[LAYOUT_NBASES] = layout->nbases;
	for (int b = 0; b < layout->nbases; b++)
	{
		field[LAYOUT_BASES + 3 * b] = layout->base[b];
		field[LAYOUT_BASES + 3 * b + 1] = layout->times[b];
		field[LAYOUT_BASES + 3 * b + 2] = layout->per[b];
	}
	for (int s = 0; s < 2; s++)
	{
		const GsSum *sum = &layout->sum[s];

		field[LAYOUT_SUMS + 3 * s] = sum->nparts > 0 ? (int64) sum->unit : -1;
		field[LAYOUT_SUMS + 3 * s + 1] = sum->min;
		field[LAYOUT_SUMS + 3 * s + 2] = sum->max;
	}
}

static void
save_scales(const GsSchema *schema, List **tensors)
{
	int32	   *scale = palloc(sizeof(int32) * Max(schema->ncolumns, 1));
	bool		any = false;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsCodec *codec = &schema->columns[c].codec;

		scale[c] = codec->kind->scaled ? 1 + codec->scale : 0;
		any |= codec->kind->scaled;
	}
	if (any)
		gs_tensor_add(tensors, "layout/scale", GS_I4, 1, schema->ncolumns, 0,
					  scale);
}

/*
 * The columns of floats that are kept as whole numbers.
 */
static void
load_scales(GsSchema *schema, const List *tensors)
{
	const int32 *scale = gs_tensor_find(tensors, "layout/scale") == NULL ? NULL :
		gs_tensor_data(tensors, "layout/scale", GS_I4, schema->ncolumns);

	for (int c = 0; scale != NULL && c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		const GsCodecKind *kind = column->codec.kind;

		if (scale[c] == 0)
			continue;
		if (scale[c] < 0 || scale[c] > 19 || column->key != NULL ||
			kind->axis != GS_AXIS_NUMBER ||
			kind->part[0].lane != GS_LANE_FLOAT)
			gs_corrupted("Column \"%s\" has an impossible scale.",
						 column->name);
		gs_codec_set_scaled(&column->codec, scale[c] - 1);
	}
}

/*
 * gs_layouts_save: appends the tensor of a schema's layouts.
 */
void
gs_layouts_save(const GsSchema *schema, List **tensors)
{
	int64	   *fields = palloc0(sizeof(int64) * LAYOUT_FIELDS *
								 (schema->ncolumns + 1));
	int			n = 0;

	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].layout != NULL)
			save_layout(schema->columns[c].layout, c,
						fields + LAYOUT_FIELDS * n++);
	gs_tensor_add(tensors, "layout", GS_I8, 2, n, LAYOUT_FIELDS, fields);
	save_scales(schema, tensors);
}

/*
 * Whether a column's values can be told from others, or others from them.
 */
static bool
is_number(const GsColumn *column)
{
	return column->codec.kind->nparts == 1 && column->key == NULL &&
		(column->codec.kind->integer || column->codec.kind->scaled ||
		 column->codec.kind->part[0].lane == GS_LANE_NUMERIC);
}

/*
 * A column, from the fields of a layout.
 */
static int
load_column(const GsSchema *schema, int64 c)
{
	if (c < 0 || c >= schema->ncolumns || !is_number(&schema->columns[c]))
		gs_corrupted("The layout of a column is about one that is no number.");
	return (int) c;
}

static void
load_bases(const GsSchema *schema, GsLayout *layout, const int64 *field)
{
	if (field[LAYOUT_NBASES] < 0 || field[LAYOUT_NBASES] > GS_MAX_BASES)
		gs_corrupted("A layout has an impossible number of bases.");
	layout->nbases = (int) field[LAYOUT_NBASES];
	for (int b = 0; b < layout->nbases; b++)
	{
		layout->base[b] = load_column(schema, field[LAYOUT_BASES + 3 * b]);
		layout->times[b] = field[LAYOUT_BASES + 3 * b + 1];
		layout->per[b] = field[LAYOUT_BASES + 3 * b + 2];
		if (layout->times[b] < 1 || layout->per[b] < 1)
			gs_corrupted("A layout has an impossible unit.");
	}
}

static void
load_layout(GsSchema *schema, const int64 *field)
{
	GsLayout   *layout = palloc0(sizeof(GsLayout));
	GsColumn   *column = &schema->columns[load_column(schema,
													  field[LAYOUT_COLUMN])];
	bool		moment = column->codec.kind->axis == GS_AXIS_TIME;

	if (column->layout != NULL || field[LAYOUT_ASPECT] < 0 ||
		field[LAYOUT_ASPECT] >= GS_ASPECTS || field[LAYOUT_SIGN] < -1 ||
		field[LAYOUT_SIGN] > 1)
		gs_corrupted("Column \"%s\" has an impossible layout.", column->name);
	load_bases(schema, layout, field);
	layout->aspect = (GsAspect) field[LAYOUT_ASPECT];
	layout->sign = (int) field[LAYOUT_SIGN];
	layout->exact = field[LAYOUT_EXACT] & 1;
	layout->min_reached = field[LAYOUT_EXACT] >> 1 & 1;
	layout->max_reached = field[LAYOUT_EXACT] >> 2 & 1;
	layout->highest = field[LAYOUT_EXACT] >> 3 & 1;
	layout->from_least = field[LAYOUT_EXACT] >> 4 & 1;
	layout->both = field[LAYOUT_BOTH] != 0;
	layout->since = -1;
	if (layout->aspect >= GS_ASPECT_FIRST_OF_TWO &&
		layout->aspect < GS_ASPECT_FIRST_TO)
		layout->since = load_column(schema, field[LAYOUT_SINCE]);
	layout->since_times = field[LAYOUT_SINCE_TIMES];
	layout->min = Max(field[LAYOUT_MIN], column->codec.kind->part[0].min);
	layout->max = Min(field[LAYOUT_MAX], column->codec.kind->part[0].max);
	layout->far_min = field[LAYOUT_FAR_MIN];
	layout->far_max = field[LAYOUT_FAR_MAX];
	for (int s = 0; s < 2; s++)
	{
		int64		unit = field[LAYOUT_SUMS + 3 * s];

		if (unit < -1 ||
			unit >= (moment ? GS_CALENDARS : GS_CALENDAR_NONE + 1))
			gs_corrupted("Column \"%s\" has an impossible unit.",
						 column->name);
		layout->sum[s].unit = unit < 0 ? GS_CALENDAR_NONE : (GsCalendar) unit;
		layout->sum[s].nparts = unit >= 0;
		layout->sum[s].min = field[LAYOUT_SUMS + 3 * s + 1];
		layout->sum[s].max = field[LAYOUT_SUMS + 3 * s + 2];
		if (layout->sum[s].min > layout->sum[s].max ||
			layout->sum[s].min < -GS_MAX_END ||
			layout->sum[s].max > GS_MAX_END)
			gs_corrupted("Column \"%s\" has impossible ends.", column->name);
	}
	if (layout->sum[0].nparts != (layout->nbases > 0) ||
		layout->sum[0].nparts + layout->sum[1].nparts == 0 ||
		(layout->from_least && layout->sum[1].nparts > 0) ||
		(layout->since_times < 0 && layout->aspect < GS_ASPECT_FIRST_TO) || layout->min > layout->max ||
		(layout->nbases == 0 && layout->sum[1].unit == GS_CALENDAR_NONE))
		gs_corrupted("Column \"%s\" has an impossible layout.", column->name);
	gs_layout_set(column, layout);
}

/*
 * gs_layouts_load: reads the layouts of a schema whose keys are known, before
 * its features.
 *
 * Errors: data_corrupted.
 */
void
gs_layouts_load(GsSchema *schema, const List *tensors)
{
	const GsTensor *fields = gs_tensor_get(tensors, "layout", GS_I8, 2);

	if (fields->dims[1] != LAYOUT_FIELDS)
		gs_corrupted("Tensor \"layout\" has the wrong shape.");
	load_scales(schema, tensors);
	for (int i = 0; i < fields->dims[0]; i++)
		load_layout(schema, (const int64 *) fields->data + LAYOUT_FIELDS * i);
}

/*
 * How many columns are below one; an error if it is among them.
 *
 * depth: [ncolumns], -1 where it is not known yet, -2 on the way there
 */
static int
check_depth(const GsSchema *schema, int c, int *depth)
{
	const GsLayout *layout = schema->columns[c].layout;
	int			deepest = 0;

	check_stack_depth();
	if (depth[c] == -2)
		gs_corrupted("Column \"%s\" is learned from itself.",
					 schema->columns[c].name);
	if (depth[c] >= 0 || layout == NULL)
		return depth[c] = Max(depth[c], 0);
	depth[c] = -2;
	for (int b = 0; b < layout->nbases; b++)
		deepest = Max(deepest, 1 + check_depth(schema, layout->base[b],
											   depth));
	if (layout->since >= 0)
		deepest = Max(deepest, 1 + check_depth(schema, layout->since, depth));
	if (deepest > GS_MAX_DEPTH)
		gs_corrupted("Column \"%s\" is learned from too many others.",
					 schema->columns[c].name);
	return depth[c] = deepest;
}

static void
check_whole(const GsSchema *schema, int c)
{
	const GsColumn *column = &schema->columns[c];

	if (schema->features[column->feature[0]].lane != GS_LANE_INT)
		gs_corrupted("Others are learned from column \"%s\", which is no whole number.",
					 column->name);
}

/*
 * gs_layouts_check: what can only be seen once the features are loaded: that
 * all values are whole numbers, and none is told from itself.
 *
 * Errors: data_corrupted.
 */
void
gs_layouts_check(const GsSchema *schema)
{
	int		   *depth = palloc(sizeof(int) * Max(schema->ncolumns, 1));

	for (int c = 0; c < schema->ncolumns; c++)
		depth[c] = -1;
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsLayout *layout = schema->columns[c].layout;

		(void) check_depth(schema, c, depth);
		if (layout != NULL && layout->since >= 0)
			check_whole(schema, layout->since);
		for (int b = 0; layout != NULL && b < layout->nbases; b++)
			check_whole(schema, layout->base[b]);
	}
	pfree(depth);
}
