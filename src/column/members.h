/*
 * members.h
 *	  Columns for the values at paths of JSON documents.
 */
#ifndef GENSYNTH_MEMBERS_H
#define GENSYNTH_MEMBERS_H

#include "column/column.h"
#include "text/document.h"

#define GS_MAX_MEMBERS	32		/* of one column */
#define GS_MAX_SLOT_MEMBERS 4	/* of a column of texts */

extern void gs_member_init(GsColumn *member, const GsColumn *owner,
						   uint32 place, JsonType type);
extern const char *gs_member_text(const GsSchema *schema, const GsColumn *owner,
								  int m, const GsBatch *batch, int row);
extern JsonType gs_member_type(const GsColumn *member);
extern Datum gs_member_datum(const JsonbValue *value);
extern int *gs_members_by_place(const GsFormat *format, const GsColumn *members,
							   int n);
extern void gs_documents_save(const GsSchema *schema, List **tensors);
extern void gs_documents_load(GsSchema *schema, const List *tensors);

#endif
