/*
 * stack.h
 *	  Room on the stack, asked for beforehand.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_STACK_H
#define GENSYNTH_STACK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes of stack that a call of this library takes at most, those of
 * PostgreSQL's that it makes not counted: a product of matrices keeps up to
 * 0.9 MB of packed operands there.
 */
#define GS_STACK_BYTES	((size_t) 3 << 19)

extern bool gs_stack_prepare(size_t used);

#endif
