/*
 * key.h
 *	  Columns that are unique by themselves: keys.
 *
 * A key takes no part in what a family learns: it determines everything, and
 * nothing determines it.  Its value is a function of (model, seed, absolute
 * row number) that no two rows share: the row number, or its place in a keyed
 * permutation of the key space (numeric/permute.h), written as the column's
 * values are.
 */
#ifndef GENSYNTH_KEY_H
#define GENSYNTH_KEY_H

#include "encode/decode.h"
#include "learn/lane.h"
#include "text/check_digit.h"

typedef enum GsKeyKind
{
	GS_KEY_SEQUENCE,			/* numbers that count on */
	GS_KEY_RANGE,				/* numbers of a range, permuted */
	GS_KEY_UUID,
	GS_KEY_PATTERN,				/* texts of one format, permuted */
	GS_KEY_TEXT,				/* drawn texts made unique by a number */
	GS_KEY_BITS,				/* permuted bits or bytes of one length */
	GS_KEY_LIST,				/* labels of an enum, permuted */
	GS_KEY_COPY,				/* a public source's values, row by row */
	GS_KEY_COUNT
} GsKeyKind;

#define GS_KEY_MAX_DIGITS	12	/* of a TEXT's number: 36^12 < 2^64 */

/* TEXT: e-mail addresses and the like have decimal numbers. */
static inline int
gs_key_base(const GsColumn *column)
{
	return column->kind != NULL && column->kind->unique ? 10 : 36;
}

/* Which rows a fit may tell from: see gs_key_learn. */
typedef struct GsKeyRows
{
	int64		rows;			/* of the source, NULLs counted */
	int64		sampled;		/* of these, the sample has so many */
	int64		present;		/* of these, so many are not NULL */
	int			threshold;
} GsKeyRows;

typedef struct GsKey
{
	GsKeyKind	kind;
	uint64		space;			/* keys there are */

	/*
	 * SEQUENCE, RANGE: least + ordinal * step, in units of the column's
	 * scalars (of a numeric, 10^-scale); of a float, in units of 10^-decimals,
	 * or of 2^exponent where decimals is -1; in a text, written in decimal
	 * between the two strings at "text", with at least "width" digits.
	 */
	int64		min;
	int64		step;
	int			scale;
	int			min_scale;
	int			decimals;
	int			exponent;
	int			width;			/* TEXT: digits, of base gs_key_base; BITS: bytes, or bits; COPY: rows */
	bool		upper;			/* TEXT: digits above 9 are upper case */

	GsCheckDigit check;			/* PATTERN: its texts have them */

	/* order, if it carries any: see key_order.c */
	int			order;			/* 1 + number feature that it rises with, or
								 * GS_KEY_BY_ROWS; 0: none */
	bool		down;			/* it falls with it */
	bool		exact;			/* the feature follows the key, too */
	int64		rows;			/* that are in one order */

	/*
	 * two NUL-ended strings, or PATTERN: see key_pattern.c; or LIST: labels; or
	 * COPY: see key_copy.c
	 */
	char	   *text;
	int			text_bytes;

	/* of the model at hand, and not stored */
	int			attempts;		/* keys set aside for each row: a domain */
	int64		first;			/* the row, from 0, that has ordinal 0 */
	bool		wraps;			/* rows without a key of their own get used ones */
} GsKey;

/* key.c */
extern const char *gs_key_name(GsKeyKind kind);
extern uint64 gs_key_room(const GsKey *key);
extern void gs_key_check(const GsColumn *column, int64 first, int64 n);
extern void gs_keys_check(const GsSchema *schema, int64 first, int64 n);
extern bool gs_key_continue(const GsColumn *column, Datum last, int64 first);
extern bool gs_key_begin(GsKey *key, int64 min, int64 first);
extern void gs_keys_save(const GsSchema *schema, List **tensors);
extern void gs_keys_check_orders(const GsSchema *schema);
extern void gs_keys_load(GsSchema *schema, const List *tensors);

/* key_learn.c */
extern GsKey *gs_key_learn(const GsColumn *column, GsLane *lane,
						   const GsScalar *sorted, const GsKeyRows *rows);
extern GsKey *gs_key_of_type(const GsColumn *column);
extern void gs_key_limits(const GsColumn *column, const GsKey *key,
						  int64 *min, int64 *max);

/* key_pattern.c */
#define GS_KEY_MAX_PATTERN	128 /* bytes of a text of one format */

extern bool gs_key_learn_pattern(GsKey *key, char *const *texts, int n,
								 bool mixed);
extern bool gs_key_pattern_space(const char *pattern, int bytes,
								 uint64 *space);
extern int	gs_key_pattern_write(const GsKey *key, uint64 value,
								 GsRandom *random, char *out);

/* key_order.c */
#define GS_KEY_BY_ROWS		(-1)	/* the order of rows is the key's */

extern void gs_key_set_order(GsKey *key, int order, bool down, bool exact);
extern uint64 gs_key_ordinals(const GsKey *key);
extern uint64 gs_key_width(const GsKey *key);
extern uint64 gs_key_spread(const GsKey *key, uint64 stream, uint64 ordinal);
extern int	gs_key_order_batch(const GsKey *key, const GsBatch *batch,
							   int64 *ordinal);
extern bool gs_keys_respace(const GsSchema *schema, const bool *fixed,
							GsBatch *batch);

/* key_copy.c */
#define GS_KEY_MAX_COPIES	10000	/* rows of a source that is copied */

typedef struct GsCopies GsCopies;

extern GsCopies *gs_copies_begin(GsColumn *columns, int ncolumns);
extern void gs_copies_put(GsCopies *copies, const Datum *values,
						  const bool *nulls);
extern bool gs_copies_end(GsCopies *copies);
extern bool gs_copy_fits(const GsKey *key);
extern void gs_copy_values(const GsColumn *column, Datum *values,
						   bool *nulls);

/* key_decode.c */
typedef struct GsKeyDecoder GsKeyDecoder;
struct GsPersonDecoder;

extern GsKeyDecoder *gs_key_decoder_create(const GsColumn *column, int index,
											 Oid type);
extern void gs_key_decoder_person(GsKeyDecoder *decoder,
								  struct GsPersonDecoder *person);
extern void gs_key_decode(GsKeyDecoder *decoder, const GsBatch *batch,
						  int from, int to, GsRows rows);

#endif
