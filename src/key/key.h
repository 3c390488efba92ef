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
#include "text/slots.h"

#define GS_KEY_REPEATS		64

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
	GS_KEY_GROUPED,				/* texts with a number among texts that are drawn */
	GS_KEY_COUNT
} GsKeyKind;

#define GS_KEY_MAX_DIGITS	12	/* of a TEXT's number: 36^12 < 2^64 */
#define GS_KEY_MAX_PATTERN	128 /* bytes of a text of one format */

/* TEXT: e-mail addresses and the like have decimal numbers. */
static inline int
gs_key_base(const GsColumn *column)
{
	return column->kind != NULL && column->kind->unique ? 10 : 36;
}

/* What the texts of a key have in common: see key_slots.c. */
typedef struct GsKeyForm
{
	char		classes[GS_KEY_MAX_PATTERN + 1];
	int			nruns;
	int			number;			/* the run that is the number */
	int			nslots;			/* other runs that vary, in order */
	int			slot[GS_MAX_SLOTS];
} GsKeyForm;

/* The number of a text, and which texts have the same around it. */
typedef struct GsKeyNumber
{
	uint64		group;
	int64		number;
} GsKeyNumber;

/* What is known of how numbers came about. */
typedef enum GsNumbers
{
	GS_NUMBERS_ANY,				/* nothing */
	GS_NUMBERS_COUNTED,
	GS_NUMBERS_DRAWN
} GsNumbers;

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

	/*
	 * SEQUENCE, GROUPED: a text's number stands among its members, as number
	 * place - 1, after so many other runs of digits; 0: it has no members
	 */
	int			place;
	int			runs;
	bool		scattered;		/* GROUPED: numbers are a permutation */

	/* order, if it carries any: see key_order.c */
	int			order;			/* 1 + number feature that it rises with, or
								 * GS_KEY_BY_ROWS; 0: none */
	bool		down;			/* it falls with it */
	bool		exact;			/* the feature follows the key, too */
	int64		rows;			/* that are in one order */
	int32	   *repeats;		/* [GS_KEY_REPEATS] quantiles of the rows that
								 * share a key, which is of what they are about;
								 * NULL: one each */

	/*
	 * two NUL-ended strings (and one more for each member), or PATTERN: see
	 * key_pattern.c; or LIST: labels; or COPY: see key_copy.c
	 */
	char	   *text;
	int			text_bytes;

	/* of the model at hand, and not stored */
	GsKeyForm  *form;			/* while it is learned: of texts with members */
	int			attempts;		/* keys set aside for each row: a domain */
	int64		first;			/* the row, from 0, that has ordinal 0 */
	bool		wraps;			/* rows without a key of their own get used ones */
} GsKey;

/* Whether a key's numbers are counted from one on. */
static inline bool
gs_key_counts(const GsKey *key)
{
	return key->kind == GS_KEY_SEQUENCE ||
		(key->kind == GS_KEY_GROUPED && !key->scattered);
}

/* key.c */
extern const char *gs_key_name(GsKeyKind kind);
extern uint64 gs_key_room(const GsKey *key);
extern bool gs_key_number(const GsKey *key, const char *text, int len,
						  int64 *number);
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
extern void gs_key_learn_numbers(const GsColumn *column, GsKey *key,
								 const GsScalar *sorted, int64 n,
								 GsNumbers known, const GsKeyRows *rows);
extern bool gs_key_is_dense(const GsKey *key, const GsScalar *sorted, int64 n,
							int64 all, const GsKeyRows *rows);
extern void gs_key_limits(const GsColumn *column, const GsKey *key,
						  int64 *min, int64 *max);

/* key_pattern.c */
extern bool gs_key_learn_pattern(GsKey *key, char *const *texts, int n,
								 bool mixed);
extern bool gs_key_pattern_space(const char *pattern, int bytes,
								 uint64 *space);
extern int	gs_key_pattern_write(const GsKey *key, uint64 value,
								 GsRandom *random, char *out);

/* key_slots.c */
extern bool gs_key_form_find(const GsLane *lane, int threshold,
							 GsKeyForm *form);
extern bool gs_key_form_number(const GsKeyForm *form, const char *text, int len,
							   GsKeyNumber *number);
extern bool gs_key_learn_slots(const GsColumn *column, GsKey *key,
							   const GsLane *lane, char *const *texts, int n,
							   const GsKeyRows *rows);
struct LaneView;
struct GsDocuments;
extern struct GsDocuments *gs_key_learn_members(struct LaneView *view);
extern bool gs_key_text_number(const GsKey *key, const char *text, int len,
							   int64 *number);
extern int	gs_key_slots(const GsKey *key);
extern void gs_key_groups(const GsSchema *schema, const GsColumn *column,
						  const GsBatch *batch, uint64 *group);
extern void gs_key_slots_write(const GsSchema *schema, const GsColumn *column,
							   const GsBatch *batch, int row,
							   const char *digits, StringInfo out);

/* key_order.c */
#define GS_KEY_BY_ROWS		(-1)	/* the order of rows is the key's */

extern void gs_key_set_order(GsKey *key, int order, bool down, bool exact);
extern uint64 gs_key_ordinals(const GsKey *key);
extern uint64 gs_key_width(const GsKey *key);
extern uint64 gs_key_spread(const GsKey *key, uint64 stream, uint64 ordinal);
extern int	gs_key_order_batch(const GsKey *key, const GsBatch *batch,
							   int64 *ordinal);
extern void gs_key_order_groups(const GsKey *key, const GsBatch *batch,
								const uint64 *group, int64 *ordinal);
extern int	gs_key_last(const GsKey *key, const GsBatch *batch);
extern void gs_key_order_entities(const GsKey *key, const GsBatch *batch,
								  int64 *ordinal);
extern void gs_entity_needs(const GsSchema *schema, bool *needed);
extern const GsColumn *gs_schema_entity(const GsSchema *schema);
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

extern GsKeyDecoder *gs_key_decoder_create(const GsSchema *schema,
										   int column, Oid type);
extern void gs_key_decoder_needs(const GsKeyDecoder *decoder, bool *needed);
extern void gs_key_decoder_person(GsKeyDecoder *decoder,
								  struct GsPersonDecoder *person);
extern void gs_key_decode(GsKeyDecoder *decoder, const GsBatch *batch,
						  int from, int to, GsRows rows);

#endif
