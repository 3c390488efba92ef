/*
 * groups.h
 *	  Many values in few groups.
 */
#ifndef GENSYNTH_GROUPS_H
#define GENSYNTH_GROUPS_H

#include "postgres.h"

extern int	gs_group_values(const int64 *count, int n, int max,
							uint8 *group);
extern int	gs_group_levels(const int64 *count, const uint16 *rank, int n,
							int max, uint8 *group);

#endif
