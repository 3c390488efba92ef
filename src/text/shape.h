/*
 * shape.h
 *	  How plausible values of high-cardinality text, JSON and arrays are made
 *	  from learned formats, never by copying a rare source value.
 *
 * A shape is learned from a column's distinct values, kept as a few flat
 * arrays, and drawn from.  What it keeps verbatim (words, JSON keys and
 * strings, letter sequences) is held by at least rare_threshold rows.  A Bloom
 * filter over salted hashes of the rare values keeps draws off them.
 */
#ifndef GENSYNTH_SHAPE_H
#define GENSYNTH_SHAPE_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "numeric/philox.h"

/*
 * A source value in the server encoding, or a part of one, which other parts of
 * the same row stand beside; how many rows are like it.
 */
typedef struct ShapeValue
{
	const char *text;
	int			len;
	int			row;			/* that it is part of; values are in this order */
	int64		count;
} ShapeValue;

typedef struct Shape Shape;

typedef enum ShapeRoot
{
	SHAPE_TEXT,
	SHAPE_JSON
} ShapeRoot;

extern Shape *gs_shape_learn(ShapeRoot root, const ShapeValue *values,
							 int nvalues, int rare_threshold, int max_chars,
							 uint64 salt, const uint64 *rare_hashes,
							 int64 nhashes);
extern void gs_shapes_save(Shape *const *shapes, int ncolumns,
						   List **tensors);
extern void gs_shapes_load(const List *tensors, int ncolumns,
						   Shape **shapes);
extern void gs_shape_draw(const Shape *shape, GsRandom *random,
						  StringInfo out);
extern uint64 gs_shape_hash(const char *text, int len, uint64 salt);
extern bool gs_shape_knows(const Shape *shape, const char *text, int len);

#endif
