/*
 * json.h
 *	  SQL arrays as JSON, and back.
 */
#ifndef GENSYNTH_JSON_H
#define GENSYNTH_JSON_H

#include "column/column.h"

extern void gs_tojsonb_init(FmgrInfo *function, Oid type,
							MemoryContext context);
extern bool gs_json_is_plain(const char *text, int len);
extern char *gs_json_to_jsonb(const char *text);
extern char *gs_array_to_json(GsCodec *codec, const char *array);
extern char *gs_json_to_array(GsCodec *codec, const char *json,
							  GsRandom *random, bool *flawed);

#endif
