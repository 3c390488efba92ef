/*
 * params.c
 *	  The vector of a network's parameters, and arenas.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../numeric/normal.h"
#include "../numeric/philox.h"
#include "nn.h"

#define ALIGNMENT	64			/* bytes: a cache line, the widest vector */
#define ROOM		16			/* views, at first */

/* elements are counted in size_t, bytes must be too */
#define MAX_SIZE	(SIZE_MAX / sizeof(gs_real) - ALIGNMENT)

/*
 * gs_arena_take
 *
 * Memory for n elements of so many bytes, aligned to 64 bytes, not cleared.
 * Returns NULL from an arena that only counts; its "used" becomes SIZE_MAX
 * where a size overflows.  An arena with memory must have enough.
 */
void *
gs_arena_take(GsArena *arena, size_t n, size_t element)
{
	size_t		from = arena->used;
	size_t		bytes = n * element;

	if (element > 0 && n > (SIZE_MAX - ALIGNMENT) / element)
		bytes = SIZE_MAX - ALIGNMENT;
	bytes = (bytes + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);
	arena->used = from > SIZE_MAX - bytes ? SIZE_MAX : from + bytes;
	if (arena->base == NULL)
		return NULL;
	assert(arena->used <= arena->size);
	return arena->base + from;
}

/*
 * gs_arena_matrix
 *
 * A matrix [rows][cols] without gaps, not cleared; see gs_arena_take.
 */
GsMatrix
gs_arena_matrix(GsArena *arena, int rows, int cols)
{
	return gs_matrix(gs_arena_take(arena, (size_t) rows * cols,
								   sizeof(gs_real)), rows, cols);
}

/*
 * gs_vector_create
 *
 * A vector of n zeros, aligned to 64 bytes, for free().  Returns NULL if
 * memory is out or n is too large.
 */
gs_real *
gs_vector_create(size_t n)
{
	void	   *vector;

	if (n > MAX_SIZE ||
		posix_memalign(&vector, ALIGNMENT,
					   (n + (n == 0)) * sizeof(gs_real)) != 0)
		return NULL;
	memset(vector, 0, n * sizeof(gs_real));
	return vector;
}

/*
 * gs_params_add
 *
 * Adds a view [rows][cols].  Returns its offset.  If memory is out or sizes
 * are below 1 or too large, the offset is of no use, and gs_params_create
 * will fail.
 */
size_t
gs_params_add(GsParams *params, const char *name, int rows, int cols,
			  GsInit init)
{
	size_t		offset = params->size;
	size_t		pad = ALIGNMENT / sizeof(float);
	GsView	   *view;

	if (rows < 1 || cols < 1 || offset > MAX_SIZE - pad ||
		(size_t) rows > (MAX_SIZE - pad - offset) / (size_t) cols)
	{
		params->size = SIZE_MAX;
		return 0;
	}
	if (params->nviews == params->room)
	{
		int			room = params->room == 0 ? ROOM : 2 * params->room;

		view = realloc(params->view, sizeof(GsView) * (size_t) room);
		if (view == NULL)
		{
			params->size = SIZE_MAX;
			return 0;
		}
		params->view = view;
		params->room = room;
	}
	view = &params->view[params->nviews++];
	snprintf(view->name, sizeof(view->name), "%s", name);
	view->offset = offset;
	view->rows = rows;
	view->cols = cols;
	view->init = init;
	params->size = offset + (size_t) rows * cols;
	params->size = (params->size + pad - 1) / pad * pad;
	return offset;
}

/*
 * Fills a view with N(0, sd^2), from stream "stream".
 */
static void
init_normal(const GsView *view, uint64_t seed, int stream, double sd,
			gs_real *value)
{
	gs_draw_normal((GsDraw) {seed, 0, (uint32_t) stream, 0},
				   gs_matrix(value, view->rows, view->cols));
	for (size_t i = 0; i < (size_t) view->rows * view->cols; i++)
		value[i] *= (gs_real) sd;
}

/*
 * gs_params_create
 *
 * Makes the vector and initialises it: a function of the views and the seed.
 * Returns false if memory is out, a view could not be added, or there are
 * none; gs_params_free is to be called all the same.
 *
 * He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015; Glorot
 * and Bengio, "Understanding the difficulty of training deep feedforward
 * neural networks", AISTATS 2010.
 */
bool
gs_params_create(GsParams *params, uint64_t seed)
{
	if (params->size == 0 || params->size == SIZE_MAX)
		return false;
	params->value = gs_vector_create(params->size);
	if (params->value == NULL)
		return false;
	for (int v = 0; v < params->nviews; v++)
	{
		const GsView *view = &params->view[v];
		gs_real    *value = params->value + view->offset;
		size_t		n = (size_t) view->rows * view->cols;

		switch (view->init)
		{
			case GS_INIT_HE:
				init_normal(view, seed, v, sqrt(2.0 / view->rows), value);
				break;
			case GS_INIT_XAVIER:
				init_normal(view, seed, v,
							sqrt(2.0 / ((double) view->rows + view->cols)),
							value);
				break;
			case GS_INIT_NORMAL:
				init_normal(view, seed, v, sqrt(1.0 / view->cols), value);
				break;
			case GS_INIT_ZERO:
			case GS_INIT_ZERO_WEIGHT:
				break;
			case GS_INIT_ONE:
				for (size_t i = 0; i < n; i++)
					value[i] = 1;
				break;
		}
	}
	return true;
}

/*
 * gs_params_free
 *
 * Releases everything and leaves an empty set.
 */
void
gs_params_free(GsParams *params)
{
	free(params->view);
	free(params->value);
	memset(params, 0, sizeof(*params));
}
