/*
 * zone.c
 *	  The time zone by whose clocks a column shows another one's moments.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/timestamp.h"

#include "codec/notation.h"
#include "learn/learn_internal.h"
#include "learn/notation_learn.h"

/* Rows by which a time zone is found. */
#define ZONE_ROWS		500
#define MIN_ROWS		50

/*
 * gs_ahead_in_row: how far a column's clock is ahead of another moment's in a row, in
 * microseconds, as far as it tells; below -GS_NOTATION_MAX_SHIFT if that is not
 * what time zones differ by.
 */
int64
gs_ahead_in_row(const GsSample *sample, int c, int leader, int64 row)
{
	const GsCodec *codec = &sample->columns[c].codec;
	const GsCodec *from = &sample->columns[leader].codec;
	GsMoment	moment = gs_codec_moment(from,
										 sample->lanes[leader * GS_MAX_PARTS].scalar[row].i);
	GsMoment	own = gs_codec_moment(codec,
									  sample->lanes[c * GS_MAX_PARTS].scalar[row].i);
	int64		ahead;

	if (codec->notation != NULL)
		moment = gs_codec_moment(codec, gs_codec_moment_scalar(codec, moment));
	if (own.day - moment.day > 2 || moment.day - own.day > 2)
		return -GS_NOTATION_MAX_SHIFT - 1;
	ahead = (own.day - moment.day) * USECS_PER_DAY + own.usec - moment.usec;
	return ahead % (15 * USECS_PER_MINUTE) != 0 ||
		ahead > GS_NOTATION_MAX_SHIFT ? -GS_NOTATION_MAX_SHIFT - 1 : ahead;
}

static bool
has_moment(const GsSample *sample, int c, int64 row)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	return !is_absent(lane, row) &&
		!gs_scalar_is_special(&sample->columns[c].codec.part[0], GS_LANE_INT,
							  lane->scalar[row]);
}

/*
 * gs_rows_of_both: the rows, at most so many, that both of two columns have a moment in.
 */
int
gs_rows_of_both(const GsSample *sample, int c, int leader, int64 *rows, int most)
{
	int64		stride = sample->nrows / most + 1;
	int			n = 0;

	for (int64 row = 0; row < sample->nrows; row += stride)
		if (has_moment(sample, c, row) && has_moment(sample, leader, row))
			rows[n++] = row;
	return n;
}

/*
 * gs_zone_find: the time zone whose clocks show one column's moments where another column has
 * them in UTC; NULL if there is none, or if they are as far ahead in all rows.
 */
pg_tz *
gs_zone_find(const GsSample *sample, int c, int leader)
{
	int64		rows[ZONE_ROWS];
	int64		ahead[ZONE_ROWS];
	int			n = gs_rows_of_both(sample, c, leader, rows, ZONE_ROWS);
	bool		differ = false;
	char		best[TZ_STRLEN_MAX + 1] = "";
	const GsCodec *from = &sample->columns[leader].codec;
	const GsScalar *base = sample->lanes[leader * GS_MAX_PARTS].scalar;
	pg_tzenum  *zones;
	pg_tz	   *zone;

	for (int i = 0; i < n; i++)
	{
		ahead[i] = gs_ahead_in_row(sample, c, leader, rows[i]);
		if (ahead[i] < -GS_NOTATION_MAX_SHIFT)
			return NULL;
		differ |= ahead[i] != ahead[0];
	}
	if (n < MIN_ROWS || !differ)
		return NULL;
	zones = pg_tzenumerate_start();
	while ((zone = pg_tzenumerate_next(zones)) != NULL)
	{
		const char *name = pg_get_timezone_name(zone);
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		for (; i < n; i++)
		{
			GsMoment	moment = gs_codec_moment(from, base[rows[i]].i);
			GsMoment	shown = gs_clock_show((GsClock) {.zone = zone}, moment);

			if ((shown.day - moment.day) * USECS_PER_DAY + shown.usec -
				moment.usec != ahead[i])
				break;
		}
		/* of many names for one, that of a city, first by the alphabet */
		if (i == n && (best[0] == '\0' ||
					   (strchr(best, '/') == NULL && strchr(name, '/') != NULL) ||
					   (strcmp(name, best) < 0 &&
						(strchr(best, '/') == NULL || strchr(name, '/') != NULL))))
			strlcpy(best, name, sizeof(best));
	}
	pg_tzenumerate_end(zones);
	return best[0] == '\0' ? NULL : pg_tzset(best);
}
