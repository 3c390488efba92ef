/*
 * format.h
 *	  How plausible values of high-cardinality text, JSON and arrays are made
 *	  from learned formats, never by copying a rare source value.
 *
 * A format is learned from a column's distinct values, kept as a few flat
 * arrays, and drawn from.  What it keeps verbatim (words, JSON keys and
 * strings, letter sequences) is held by at least rare_threshold rows.  A Bloom
 * filter over salted hashes of the rare values keeps draws off them.
 */
#ifndef GENSYNTH_FORMAT_H
#define GENSYNTH_FORMAT_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "numeric/philox.h"

/*
 * A source value in the server encoding, or a part of one, which other parts of
 * the same row stand beside; how many rows are like it.
 */
typedef struct FormatValue
{
	const char *text;
	int			len;
	int			row;			/* that it is part of; values are in this order */
	int64		count;
} FormatValue;

typedef struct GsFormat GsFormat;

typedef enum FormatRoot
{
	FORMAT_TEXT,
	FORMAT_JSON
} FormatRoot;

extern GsFormat *gs_format_learn(FormatRoot root, const FormatValue *values,
								 int nvalues, int rare_threshold,
								 int max_chars,
								 uint64 salt, const uint64 *rare_hashes,
								 int64 nhashes);
extern void gs_formats_save(GsFormat *const *formats, int ncolumns,
							List **tensors);
extern void gs_formats_load(const List *tensors, int ncolumns,
							GsFormat **formats);
extern void gs_format_draw(const GsFormat *format, GsRandom *random,
						   StringInfo out);
extern bool gs_format_is_full(const GsFormat *format);
extern uint64 gs_format_hash(const char *text, int len, uint64 salt);
extern bool gs_format_knows(const GsFormat *format, const char *text, int len);

#endif
