/*
 * json.h
 *	  SQL arrays as JSON, and back.
 */
#ifndef GENSYNTH_JSON_H
#define GENSYNTH_JSON_H

#include "column/column.h"

extern void gs_tojsonb_init(FmgrInfo *function, Oid type,
							MemoryContext context);
extern char *gs_array_to_json(GsCodec *codec, Datum array);
extern char *gs_json_to_array(const char *json);

#endif
