/*
 * siblings.h
 *	  Rows that are made owner by owner, for those who make them.
 *
 * state: of a sampler of the family gs_sequence.
 */
#ifndef GENSYNTH_MODEL_SIBLINGS_H
#define GENSYNTH_MODEL_SIBLINGS_H

#include "column/column.h"

extern void gs_siblings_forget(void *state);
extern void gs_siblings_begin(void *state, int owner, int64 expected);
extern void gs_siblings_rows(void *state, const int *owner, int n);
extern void gs_siblings_see(void *state, const GsBatch *batch);
extern void gs_siblings_recall(void *state, GsBatch *batch);
extern void gs_siblings_expect(void *state, int owner, int64 more);
extern bool gs_siblings_failed(const void *state, int row);
extern void gs_siblings_add(void *state, const GsBatch *batch, int row);

#endif
