/*
 * notation.h
 *	  Dates and times that are kept as numbers or as texts: 20240131, '31/01/2024',
 *	  0815.
 *
 * Such a column's values are taken for the day, month, minute or second that
 * they name: its codec has one part of whole numbers, which are counted from
 * 2000-01-01, as PostgreSQL's own dates are.  So what lies between two values
 * is a date, too, and each is written as the source writes them.
 *
 * What is no date of the notation (99999999, 'n/a') is a special value: see
 * GsPartKind.
 */
#ifndef GENSYNTH_NOTATION_H
#define GENSYNTH_NOTATION_H

#include "codec/codec.h"

#define GS_NOTATION_MAX_OTHERS	16	/* texts that are no dates */
#define GS_NOTATION_SIZE		64	/* bytes that a written date takes at most */
#define GS_NOTATION_MAX_SUFFIX	15	/* bytes that are the same behind each */

/* Between the clocks of two time zones. */
#define GS_NOTATION_MAX_SHIFT	(INT64CONST(26) * 3600 * 1000000)

/* Scalars from here on are values that are no dates: see gs_notation_set. */
#define GS_NOTATION_OTHER		(INT64CONST(1) << 61)

/* A point in time, of which a notation names a part. */
typedef struct GsMoment
{
	int64		day;			/* since 2000-01-01 */
	int64		usec;			/* of the day */
} GsMoment;

/* What a value of a codec counts; the finer, the later. */
typedef enum GsMomentUnit
{
	GS_UNIT_NONE,				/* nothing: a weekday, say, is only a part */
	GS_UNIT_CLOCK,				/* minutes or seconds of a day */
	GS_UNIT_MONTH,
	GS_UNIT_DAY,
	GS_UNIT_TIME				/* of a day */
} GsMomentUnit;

/* A clock that shows a moment, which is in UTC, elsewhere. */
typedef struct GsClock
{
	int64		ahead;			/* microseconds */
	int			months;			/* ahead: of a year that begins otherwise */
	struct pg_tz *zone;			/* NULL: none */
} GsClock;

typedef struct GsNotation
{
	int			format;
	const GsCodecKind *plain;	/* kind of the values as they are written */
	GsCodecKind kind;			/* of the codec */
	int			nothers;
	char	  **other;			/* [nothers] texts */
	char		suffix[GS_NOTATION_MAX_SUFFIX + 1]; /* of a text, such as
													 * +01:00 */
	bool		offset;			/* it differs by row, and is how far the clock is
								 * ahead of what is counted: a member */
	GsClock		clock;			/* of one that follows from another moment */
} GsNotation;

extern int	gs_notation_count(void);
extern const char *gs_notation_name(int format);
extern bool gs_notation_fits(int format, const GsCodecKind *kind);
extern bool gs_notation_is_ordered(int format);
extern GsMomentUnit gs_notation_unit(int format);
extern bool gs_notation_derives(int format, const GsCodec *from);
extern bool gs_notation_is_number(int format);
extern bool gs_notation_is_epoch(int format);
extern bool gs_notation_parse(int format, const char *text, int len,
							  int64 *scalar);
extern bool gs_notation_read(int format, const char *suffix, const char *text,
							 int len, int64 *scalar);
extern bool gs_notation_read_offset(const char *text, int len, int64 *ahead);
extern void gs_notation_set_offset(GsNotation *notation, const char *suffix);
extern int	gs_notation_length(int format);
extern bool gs_notation_is_fiscal(int format);
extern GsMoment gs_clock_show(GsClock clock, GsMoment moment);
extern GsMoment gs_clock_read(GsClock clock, GsMoment shown);
extern int64 gs_notation_usecs(int format);
extern void gs_notation_limits(int format, int64 *min, int64 *max);
extern int64 gs_notation_scalar(int format, GsMoment moment);
extern GsMoment gs_notation_moment(int format, int64 scalar);
extern int64 gs_notation_number(int format, int64 number);
extern void gs_notation_around(int format, int64 number, int64 *below,
							   int64 *above);
extern int	gs_notation_write(int format, GsMoment moment, char *out);
extern int64 gs_notation_day(int format, int64 day);
extern int64 gs_notation_write_number(int format, GsMoment moment);
extern void gs_notation_set(GsCodec *codec, int format, int nothers,
							char **other);
extern GsMomentUnit gs_codec_unit(const GsCodec *codec);
extern GsMoment gs_codec_moment(const GsCodec *codec, int64 scalar);
extern int64 gs_codec_moment_scalar(const GsCodec *codec, GsMoment moment);
extern Datum gs_notation_join(GsCodec *codec, GsMoment moment);

#endif
