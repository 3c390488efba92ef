/*
 * notation_learn.c
 *	  Columns that hold dates and times as numbers or texts, and columns that
 *	  follow from another one of the same moment.
 *
 * A column is taken for dates of a format where nearly all of its values are
 * such, and chance would not have it so: of whole numbers of eight digits one
 * in thirty is a date.  Its lane then holds what the values count.
 *
 * A column whose dates are what a format writes of another column's moment,
 * in every row (a month or weekday beside a date, a date beside its text), has
 * that one as its leader: nothing is learned but where it is NULL or holds no
 * date, and the others are written when rows are decoded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "codec/notation.h"
#include "column/members.h"
#include "learn/learn_internal.h"
#include "learn/notation_learn.h"
#include "learn/quantile.h"

/* Fewer values than this are a category, and come back as they are. */
#define MIN_DATES		21
/* At least this share of the rows must hold dates ... */
#define MIN_SHARE		0.8
/* ... and one other value is let through for so many dates. */
#define DATES_PER_OTHER	8
/* Years in which dates are, in days since 2000: 1800 to 2199. */
#define FIRST_DAY		(-73048)
#define LAST_DAY		73049
/* Times of day have the minutes of an hour, and no others. */
#define MIN_HOURS		6
#define MIN_MINUTES		4
#define LATE_MINUTE		45
#define FIRST_ROWS		64
/* Seconds since 1970 are of so few days, or else numbers. */
#define EPOCH_DAYS		3653
/* Time zones to try. */
#define MAX_CLOCKS		4
/* A column of fewer rows follows by chance. */
#define MIN_ROWS		50

/* What the values of a column are in a format. */
typedef struct Tally
{
	int64		rows;
	int64		dates;			/* rows */
	int			ndates;			/* distinct ones */
	int			nothers;		/* distinct other values */
	int64		first;			/* days */
	int64		last;
	uint32		hours;			/* bits */
	uint64		minutes;
} Tally;

static void
count_value(Tally *tally, int format, bool date, int64 scalar, int64 rows)
{
	GsMoment	moment;

	tally->rows += rows;
	if (!date)
	{
		tally->nothers++;
		return;
	}
	moment = gs_notation_moment(format, scalar);
	tally->first = tally->ndates == 0 ? moment.day :
		Min(tally->first, moment.day);
	tally->last = tally->ndates == 0 ? moment.day :
		Max(tally->last, moment.day);
	tally->ndates++;
	tally->hours |= UINT32_C(1) << (moment.usec / USECS_PER_HOUR);
	tally->minutes |= UINT64CONST(1) <<
		(moment.usec / USECS_PER_MINUTE % MINS_PER_HOUR);
	if (moment.day >= FIRST_DAY && moment.day <= LAST_DAY)
		tally->dates += rows;
}

/*
 * Whether a column holds dates.  number: as whole numbers.
 */
static bool
is_plausible(const Tally *tally, int format, bool number)
{
	if (tally->ndates < MIN_DATES || tally->dates < MIN_SHARE * tally->rows ||
		tally->nothers > GS_NOTATION_MAX_OTHERS ||
		tally->nothers > tally->ndates / DATES_PER_OTHER)
		return false;
	/* of any numbers of ten digits, a third are of two decades */
	if (gs_notation_is_epoch(format) &&
		tally->last - tally->first > EPOCH_DAYS)
		return false;
	return !number || gs_notation_unit(format) != GS_UNIT_CLOCK ||
		(pg_popcount32(tally->hours) >= MIN_HOURS &&
		 pg_popcount64(tally->minutes) >= MIN_MINUTES &&
		 tally->minutes >> LATE_MINUTE != 0);
}

/*
 * Whether some format reads most of the first rows' numbers: few columns are
 * worth sorting.
 */
static bool
may_be_dates(const GsCodecKind *kind, const GsLane *lane, int64 nrows)
{
	for (int format = 0; format < gs_notation_count(); format++)
	{
		int			seen = 0;
		int			dates = 0;

		if (!gs_notation_fits(format, kind) ||
			gs_notation_unit(format) == GS_UNIT_NONE)
			continue;
		for (int64 row = 0; row < nrows && seen < FIRST_ROWS; row++)
		{
			if (is_absent(lane, row))
				continue;
			seen++;
			dates += gs_notation_number(format, lane->scalar[row].i) <
				GS_NOTATION_OTHER / 2;
		}
		if (2 * dates > seen)
			return true;
	}
	return false;
}

/*
 * The format of sorted whole numbers; -1: none.
 */
static int
find_number_format(const GsCodecKind *kind, const GsScalar *sorted, int64 n)
{
	for (int format = 0; format < gs_notation_count(); format++)
	{
		Tally		tally = {0};
		int64		next;

		if (!gs_notation_fits(format, kind) ||
			gs_notation_unit(format) == GS_UNIT_NONE)
			continue;
		for (int64 i = 0; i < n && tally.nothers <= GS_NOTATION_MAX_OTHERS;
			 i = next)
		{
			int64		scalar = gs_notation_number(format, sorted[i].i);

			for (next = i + 1; next < n; next++)
				if (sorted[next].i != sorted[i].i)
					break;
			count_value(&tally, format, scalar < GS_NOTATION_OTHER / 2,
						scalar, next - i);
		}
		if (is_plausible(&tally, format, true))
			return format;
	}
	return -1;
}

static bool
may_be_number(const GsCodecKind *kind, const GsLane *lane)
{
	return kind->content == GS_CONTENT_NUMBERS && kind->nparts == 1 &&
		kind->axis == GS_AXIS_NUMBER && lane->type == GS_LANE_INT &&
		lane->scale == 0;
}

/*
 * The format of a column of numbers that holds dates; -1: none.
 */
static int
format_of_numbers(const GsSample *sample, int c)
{
	const GsCodecKind *kind = sample->columns[c].codec.kind;
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	GsScalar   *sorted;
	int64		n = 0;
	int			format;

	if (!may_be_number(kind, lane) ||
		!may_be_dates(kind, lane, sample->nrows))
		return -1;
	sorted = palloc_extended(sizeof(GsScalar) * Max(sample->nrows, 1),
							 MCXT_ALLOC_HUGE);
	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row))
			sorted[n++] = lane->scalar[row];
	gs_scalars_sort(sorted, n, GS_LANE_INT);
	format = find_number_format(kind, sorted, n);
	pfree(sorted);
	return format;
}

/*
 * gs_holds_dates: whether a column of numbers holds days or months.
 */
bool
gs_holds_dates(const GsSample *sample, int c)
{
	const GsColumn *column = &sample->columns[c];
	int			format = column->unique || column->partly_unique ||
		column->meant != GS_MEANT_ANY ? -1 : format_of_numbers(sample, c);

	return format >= 0 && gs_notation_unit(format) != GS_UNIT_CLOCK;
}

static void
find_in_numbers(GsSample *sample, int c)
{
	GsColumn   *column = &sample->columns[c];
	GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];
	int			format = format_of_numbers(sample, c);

	if (format < 0)
		return;
	gs_notation_set(&column->codec, format, 0, NULL);
	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row))
			lane->scalar[row].i = gs_notation_number(format,
													 lane->scalar[row].i);
	lane->is_numeric = false;
}

/*
 * The texts of a lane in a format; others: [GS_NOTATION_MAX_OTHERS] those that
 * are no dates.
 */
static Tally
tally_texts(GsLane *lane, int format, const char *suffix, GsText **others)
{
	Tally		tally = {0};
	HASH_SEQ_STATUS scan;
	GsText	   *entry;

	hash_seq_init(&scan, lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		int64		scalar = 0;
		bool		date = gs_notation_read(format, suffix, entry->text,
											entry->len, &scalar);

		if (!date && tally.nothers < GS_NOTATION_MAX_OTHERS)
			others[tally.nothers] = entry;
		count_value(&tally, format, date, scalar, entry->count);
		if (tally.nothers <= GS_NOTATION_MAX_OTHERS)
			continue;
		hash_seq_term(&scan);
		break;
	}
	return tally;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp((*(GsText *const *) a)->text, (*(GsText *const *) b)->text);
}

/*
 * Turns a lane's texts into what they count.  Those that are no dates, and too
 * rare to be shown, each become a special value that is dropped.
 *
 * others: [n] in order, all that are no dates, those that may be shown first
 */
static void
count_texts(GsLane *lane, int64 nrows, const GsNotation *notation,
			GsText *const *others, int n)
{
	for (int64 row = 0; row < nrows; row++)
	{
		GsText	   *entry;
		int64		scalar;

		if (is_absent(lane, row))
			continue;
		entry = gs_lane_text(lane, lane->scalar[row].hash);
		if (!gs_notation_read(notation->format,
							  notation->offset ? NULL : notation->suffix,
							  entry->text, entry->len, &scalar))
			for (int i = 0; i < n; i++)
				if (others[i] == entry)
					scalar = GS_NOTATION_OTHER + i;
		lane->scalar[row].i = scalar;
	}
	MemoryContextDelete(lane->texts_context);
	lane->texts = NULL;
	lane->type = GS_LANE_INT;
}

/*
 * What stands behind a format's date in the first of a lane's texts that it
 * reads: the offset of a time zone, say.  Returns false if there is nothing.
 */
static bool
find_suffix(GsLane *lane, int format, char *suffix)
{
	int			length = gs_notation_length(format);
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	bool		found = false;

	*suffix = '\0';
	if (length == 0)
		return false;
	hash_seq_init(&scan, lane->texts);
	for (int i = 0; i <= GS_NOTATION_MAX_OTHERS && !found &&
		 (entry = hash_seq_search(&scan)) != NULL; i++)
	{
		int64		scalar;

		found = entry->len > length &&
			entry->len - length <= GS_NOTATION_MAX_SUFFIX &&
			!isdigit((unsigned char) entry->text[length]) &&
			gs_notation_parse(format, entry->text, length, &scalar);
		if (found)
			strcpy(suffix, entry->text + length);
		if (found || i == GS_NOTATION_MAX_OTHERS)
			hash_seq_term(&scan);
	}
	return found;
}

/*
 * The offsets behind a column's dates, as a member of it, which is learned as a
 * column is; NULL if there are none that enough rows have.
 */
static GsDocuments *
read_offsets(const GsColumn *column, GsLane *lane, int64 nrows, int length)
{
	GsDocuments *offsets = palloc0(sizeof(GsDocuments));

	offsets->nmembers = 1;
	offsets->member = palloc0(sizeof(GsColumn));
	offsets->lane = palloc0(sizeof(GsLane));
	gs_member_init(offsets->member, column, 0, JSON_STRING);
	gs_lane_init(offsets->lane, GS_LANE_TEXT, lane->salt, lane->texts_budget);
	offsets->unknown = palloc_extended(Max(nrows, 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 row = 0; row < nrows; row++)
	{
		const GsText *text = is_absent(lane, row) ? NULL :
			gs_lane_text(lane, lane->scalar[row].hash);
		GsPart		part = {.lane = GS_LANE_TEXT};
		bool		known = text != NULL && text->len > length;
		int64		ahead;

		if (known)
		{
			part.text = text->text + length;
			part.len = text->len - length;
			known = gs_notation_read_offset(part.text, part.len, &ahead);
		}
		offsets->unknown[row] = !known &&
			(!is_absent(lane, row) || column->impute);
		gs_lane_put(offsets->lane, row, row, known ? &part : NULL);
	}
	return offsets;
}

static void
find_in_texts(GsSample *sample, int c, int threshold)
{
	GsColumn   *column = &sample->columns[c];
	GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];
	GsText	   *others[GS_NOTATION_MAX_OTHERS];
	char	   *shown[GS_NOTATION_MAX_OTHERS];
	char		suffix[GS_NOTATION_MAX_SUFFIX + 1] = "";
	bool		offset = false;
	int			best = -1;
	int			nothers = GS_NOTATION_MAX_OTHERS + 1;
	int			nshown = 0;

	/* texts that were let go cannot be read */
	if (lane->evicted || hash_get_num_entries(lane->texts) < MIN_DATES)
		return;
	for (int format = 0; format < gs_notation_count(); format++)
	{
		Tally		tally;
		char		behind[GS_NOTATION_MAX_SUFFIX + 1] = "";
		bool		differ = false;
		int64		ahead;

		CHECK_FOR_INTERRUPTS();
		if (!gs_notation_fits(format, column->codec.kind) ||
			gs_notation_unit(format) == GS_UNIT_NONE)
			continue;
		tally = tally_texts(lane, format, "", others);
		if (tally.ndates == 0 && find_suffix(lane, format, behind))
		{
			tally = tally_texts(lane, format, behind, others);
			differ = tally.nothers > 0 &&
				gs_notation_read_offset(behind, strlen(behind), &ahead);
			if (differ)
				tally = tally_texts(lane, format, NULL, others);
		}
		if (tally.nothers >= nothers ||
			!is_plausible(&tally, format,
						  gs_notation_is_number(format)))
			continue;
		best = format;
		strcpy(suffix, behind);
		offset = differ;
		nothers = tally.nothers;
	}
	if (best < 0)
		return;
	(void) tally_texts(lane, best, offset ? NULL : suffix, others);
	qsort(others, nothers, sizeof(GsText *), by_text);
	for (int i = 0; i < nothers; i++)
		if (others[i]->count >= threshold)
		{
			GsText	   *swap = others[nshown];

			others[nshown] = others[i];
			others[i] = swap;
			shown[nshown] = others[nshown]->text;
			nshown++;
		}
	gs_notation_set(&column->codec, best, nshown, shown);
	if (offset)
		column->offsets = read_offsets(column, lane, sample->nrows,
									   gs_notation_length(best));
	column->codec.notation->offset = offset;
	strcpy(column->codec.notation->suffix, suffix);
	count_texts(lane, sample->nrows, column->codec.notation, others, nothers);
}

/*
 * gs_notations_find: finds the columns of a sample that hold dates, gives them
 * codecs that know it, and leaves what they count in their lanes.  Can be
 * cancelled.
 *
 * threshold: rows that must hold a text for it to be shown.
 */
void
gs_notations_find(GsSample *sample, int threshold)
{
	for (int c = 0; c < sample->ncolumns; c++)
	{
		const GsColumn *column = &sample->columns[c];
		const GsCodecKind *kind = column->codec.kind;

		CHECK_FOR_INTERRUPTS();
		if (column->unique || column->partly_unique ||
			column->meant != GS_MEANT_ANY)
			continue;
		if (kind->content == GS_CONTENT_TEXT)
			find_in_texts(sample, c, threshold);
		else
			find_in_numbers(sample, c);
	}
}

/* How a column may follow from another one. */
typedef struct Following
{
	int			leader;
	int			format;
	GsClock		clock;
} Following;

/*
 * Whether a format writes a column's value of a row, from its leader's
 * moment.
 */
static bool
writes_row(const GsColumn *column, const GsLane *lane, int64 row,
		   const Following *as, GsMoment moment)
{
	char		text[GS_NOTATION_SIZE];
	int			format = as->format;
	int			len;

	moment = gs_clock_show(as->clock, moment);
	if (column->codec.notation != NULL)
		return gs_notation_scalar(format, moment) == lane->scalar[row].i;
	if (lane->type == GS_LANE_INT)
		return gs_notation_write_number(format, moment) == lane->scalar[row].i;
	len = gs_notation_write(format, moment, text);
	return gs_format_hash(text, len, lane->salt) == lane->scalar[row].hash;
}

/*
 * Whether a row's value is one that is no date.
 */
static bool
is_other(const GsColumn *column, const GsLane *lane, int64 row)
{
	return column->codec.notation != NULL &&
		gs_scalar_is_special(&column->codec.part[0], GS_LANE_INT,
							 lane->scalar[row]);
}

/*
 * Whether a column follows from another one in a format, wherever it holds a
 * date.  *whole: it has a value wherever the other has.
 */
static bool
follows(const GsSample *sample, int c, const Following *as, bool *whole)
{
	int			leader = as->leader;
	const GsColumn *from = &sample->columns[leader];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	const GsLane *base = &sample->lanes[leader * GS_MAX_PARTS];
	int64		rows = 0;
	int64		differ = 0;
	int64		first = -1;

	*whole = true;
	for (int64 row = 0; row < sample->nrows; row++)
	{
		bool		present = !is_absent(base, row) &&
			!gs_scalar_is_special(&from->codec.part[0], GS_LANE_INT,
								  base->scalar[row]);

		if (is_absent(lane, row) || is_other(&sample->columns[c], lane, row))
		{
			*whole &= is_absent(lane, row) && !present;
			continue;
		}
		if (!present ||
			!writes_row(&sample->columns[c], lane, row, as,
						gs_codec_moment(&from->codec, base->scalar[row].i)))
			return false;
		first = first < 0 ? row : first;
		differ += lane->scalar[row].i != lane->scalar[first].i;
		rows++;
	}
	return rows >= MIN_ROWS && differ > 0;
}

static bool
may_lead(const GsColumn *column, const GsLane *lane)
{
	return !column->unique && column->moment == 0 &&
		column->declared == column->type && lane->type == GS_LANE_INT &&
		gs_codec_unit(&column->codec) != GS_UNIT_NONE;
}

static bool
may_follow(const GsColumn *column, const GsLane *lane)
{
	const GsCodec *codec = &column->codec;

	return !column->unique && !column->partly_unique &&
		column->moment == 0 && !column->leads && !column->equated &&
		!column->impute && column->declared == column->type &&
		column->meant == GS_MEANT_ANY &&
		(codec->notation != NULL || codec->type == DATEOID ||
		 codec->type == TIMEOID || codec->type == TIMESTAMPOID ||
		 codec->kind->content == GS_CONTENT_TEXT ||
		 may_be_number(codec->kind, lane));
}

/*
 * Makes a column follow: all of its dates are the same to learn from.
 */
static void
set_leader(GsSample *sample, int c, const Following *as, bool whole)
{
	GsColumn   *column = &sample->columns[c];
	GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];

	column->moment = as->leader + 1;
	column->equal = 0;			/* which says less */
	sample->columns[as->leader].leads = true;
	if (column->codec.notation == NULL)
		gs_notation_set(&column->codec, as->format, 0, NULL);
	column->codec.notation->format = as->format;
	column->codec.notation->clock = as->clock;
	if (lane->texts != NULL)
		MemoryContextDelete(lane->texts_context);
	lane->texts = NULL;
	lane->type = GS_LANE_INT;
	lane->is_numeric = false;
	lane->scale = lane->min_scale = 0;
	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_other(column, lane, row))
			lane->scalar[row].i = column->codec.part[0].min;
	if (whole && lane->absent != NULL)
	{
		pfree(lane->absent);
		lane->absent = NULL;
	}
}

/*
 * The clocks by which a column may follow from another one.  Returns how many.
 */
static int
find_clocks(const GsSample *sample, int c, int leader, GsClock *clock)
{
	const GsCodec *codec = &sample->columns[c].codec;
	int			n = 1;
	int64		row;

	clock[0] = (GsClock) {.ahead = 0};
	if (gs_codec_unit(&sample->columns[leader].codec) != GS_UNIT_TIME)
		return n;
	if (codec->notation != NULL && gs_codec_unit(codec) == GS_UNIT_TIME &&
		gs_rows_of_both(sample, c, leader, &row, 1) == 1)
	{
		int64		ahead = gs_ahead_in_row(sample, c, leader, row);

		if (ahead != 0 && ahead >= -GS_NOTATION_MAX_SHIFT)
			clock[n++] = (GsClock) {.ahead = ahead};
	}
	/* those of others that follow from it */
	for (int i = 0; i < sample->ncolumns && n < MAX_CLOCKS; i++)
		if (sample->columns[i].moment == leader + 1 &&
			(sample->columns[i].codec.notation->clock.zone != NULL ||
			 sample->columns[i].codec.notation->clock.ahead != 0))
			clock[n++] = sample->columns[i].codec.notation->clock;
	return n;
}

/*
 * Whether formats write the same texts, one of a moment's rounded, one of its
 * whole seconds.
 */
static bool
reads_alike(int a, int b)
{
	return gs_notation_is_epoch(a) && gs_notation_is_epoch(b) &&
		gs_notation_usecs(a) == gs_notation_usecs(b);
}

/*
 * Looks for the format in which a column follows from another one.
 */
static void
find_format(GsSample *sample, int c, int leader)
{
	const GsColumn *column = &sample->columns[c];
	const GsCodec *codec = &column->codec;
	const GsCodecKind *kind = codec->notation == NULL ? codec->kind :
		codec->notation->plain;
	const GsCodec *from = &sample->columns[leader].codec;
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	const GsScalar *base = sample->lanes[leader * GS_MAX_PARTS].scalar;
	GsClock		clock[MAX_CLOCKS];
	int			nclocks;
	int64		first = 0;

	while (first < sample->nrows &&
		   (is_absent(lane, first) || is_other(column, lane, first)))
		first++;
	if (first == sample->nrows ||
		gs_scalar_is_special(&from->part[0], GS_LANE_INT, base[first]))
		return;
	nclocks = find_clocks(sample, c, leader, clock);
	for (int format = 0; format < gs_notation_count(); format++)
	{
		int			year = gs_notation_is_fiscal(format) ?
			2 * MONTHS_PER_YEAR - 2 : 0;

		if ((codec->notation != NULL && format != codec->notation->format &&
			 !reads_alike(format, codec->notation->format)) ||
			!gs_notation_fits(format, kind) ||
			!gs_notation_derives(format, from))
			continue;
		for (int k = 0; k < nclocks + year; k++)
		{
			Following	as = {.leader = leader,.format = format};
			bool		whole;

			if (k < nclocks)
				as.clock = clock[k];
			else
				as.clock.months = k - nclocks < MONTHS_PER_YEAR - 1 ?
					k - nclocks + 1 : MONTHS_PER_YEAR - 2 - (k - nclocks);
			if (!writes_row(column, lane, first, &as,
							gs_codec_moment(from, base[first].i)) ||
				!follows(sample, c, &as, &whole))
				continue;
			set_leader(sample, c, &as, whole);
			return;
		}
	}
}

/*
 * Finds columns that show another one's moments as the clocks of a time zone
 * do.
 */
static void
find_zones(GsSample *sample)
{
	for (int b = 0; b < sample->ncolumns; b++)
		for (int c = 0; c < sample->ncolumns; c++)
		{
			const GsColumn *leader = &sample->columns[b];
			const GsColumn *column = &sample->columns[c];
			Following	as = {.leader = b};
			bool		whole;

			CHECK_FOR_INTERRUPTS();
			if (b == c || leader->codec.notation != NULL ||
				leader->codec.type != TIMESTAMPTZOID ||
				!may_lead(leader, &sample->lanes[b * GS_MAX_PARTS]) ||
				gs_codec_unit(&column->codec) != GS_UNIT_TIME ||
				column->codec.type == TIMESTAMPTZOID ||
				!may_follow(column, &sample->lanes[c * GS_MAX_PARTS]) ||
				!gs_may_follow(column, leader) ||
				(as.clock.zone = gs_zone_find(sample, c, b)) == NULL)
				continue;
			as.format = column->codec.notation != NULL ?
				column->codec.notation->format :
				gs_notation_count() - 1;
			if (follows(sample, c, &as, &whole))
				set_leader(sample, c, &as, whole);
		}
}

/*
 * Whether all dates of a column are the first of their months, or the like: a
 * finer column of the same moment says more.
 */
static bool
is_coarse(const GsSample *sample, int c)
{
	const GsCodec *codec = &sample->columns[c].codec;
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	for (int format = 0; codec->type == DATEOID &&
		 format < gs_notation_count(); format++)
	{
		bool		coarse = false;

		CHECK_FOR_INTERRUPTS();
		if (!gs_notation_fits(format, codec->kind) ||
			strcmp(gs_notation_name(format), "date") == 0)
			continue;
		for (int64 row = 0; row < sample->nrows; row++)
			if (!is_absent(lane, row) &&
				!gs_scalar_is_special(&codec->part[0], GS_LANE_INT,
									  lane->scalar[row]))
			{
				coarse = gs_notation_day(format, lane->scalar[row].i) ==
					lane->scalar[row].i;
				if (!coarse)
					break;
			}
		if (coarse)
			return true;
	}
	return false;
}

/*
 * gs_leaders_find: finds columns of a sample that follow from others, and sets
 * their leaders.  Can be cancelled.
 */
void
gs_leaders_find(GsSample *sample)
{
	static const int64 usecs[] = {1, 1000, USECS_PER_SEC, USECS_PER_MINUTE, USECS_PER_DAY};
	bool	   *coarse = palloc0(Max(sample->ncolumns, 1));

	for (int c = 0; c < sample->ncolumns; c++)
		coarse[c] = sample->lanes[c * GS_MAX_PARTS].type == GS_LANE_INT &&
			is_coarse(sample, c);
	find_zones(sample);
	/* the finest lead: what follows from a month follows from its day */
	for (GsMomentUnit unit = GS_UNIT_TIME; unit > GS_UNIT_NONE; unit--)
		for (int round = 0; round < 2 + 2 * lengthof(usecs); round++)
			for (int b = 0; b < sample->ncolumns; b++)
			{
				const GsColumn *leader = &sample->columns[b];
				const GsNotation *notation = leader->codec.notation;

				if (!may_lead(leader, &sample->lanes[b * GS_MAX_PARTS]) ||
					(notation != NULL) != (round >= 2) ||
					coarse[b] != round % 2 ||
					(notation != NULL &&
					 gs_notation_usecs(notation->format) !=
					 usecs[round / 2 - 1]) ||
					gs_codec_unit(&leader->codec) != unit)
					continue;
				for (int c = 0; c < sample->ncolumns; c++)
				{
					CHECK_FOR_INTERRUPTS();
					if (c != b &&
						may_follow(&sample->columns[c],
								   &sample->lanes[c * GS_MAX_PARTS]) &&
						gs_may_follow(&sample->columns[c], leader))
						find_format(sample, c, b);
				}
			}
}
