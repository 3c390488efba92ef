/*
 * datasets.h
 *	  Tables that were learned together: the table gensynth.dataset_tables.
 */
#ifndef GENSYNTH_DATASETS_H
#define GENSYNTH_DATASETS_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct GsDatasetTable
{
	char	   *owner;			/* role that learned it */
	char	   *relation;		/* of the source, qualified and quoted */
	char	   *name;			/* by itself */
	char	   *role;
	char	   *model;			/* of its rows; NULL: it is taken over */
} GsDatasetTable;

extern void gs_dataset_store(const char *dataset, List *tables);
extern List *gs_dataset_load(const char *dataset);
extern List *gs_dataset_models(const char *dataset);
extern void gs_dataset_forget(const char *dataset);

#endif
