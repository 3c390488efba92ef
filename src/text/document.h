/*
 * document.h
 *	  JSON documents as their layouts and the values in them.
 */
#ifndef GENSYNTH_DOCUMENT_H
#define GENSYNTH_DOCUMENT_H

#include "utils/jsonb.h"

#include "text/format.h"

typedef enum JsonType
{
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
} JsonType;

#define JSON_NTYPES (JSON_OBJECT + 1)

/*
 * Where a value stands: in a node of the format by itself, or as one of the
 * first elements of a short array, all of which share a node.
 */
#define GS_POSITIONS	5
#define GS_PLACE(node, position)	((node) * GS_POSITIONS + (position))

/* What is known of a value that is to be drawn. */
typedef enum GsLeaf
{
	GS_LEAF_UNKNOWN,			/* nothing */
	GS_LEAF_ABSENT,				/* it is not there */
	GS_LEAF_NOVEL,				/* it is a string that few rows hold */
	GS_LEAF_PUT					/* all: it has been appended */
} GsLeaf;

/*
 * put: appends the value in a place, if it is known.  type: the JsonType that
 * it has, or -1 where it may be absent.
 */
typedef struct GsLeaves
{
	GsLeaf		(*put) (void *arg, uint32 place, int type, StringInfo out);
	void	   *arg;
} GsLeaves;

typedef void (*GsDocumentVisit) (void *arg, uint32 place,
								 const JsonbValue *value);

/* format_layout.c */
extern JsonType gs_format_json_type(const JsonbValue *value);
extern void gs_format_json_root(Jsonb *document, JsonbValue *value);
extern bool gs_format_read(const GsFormat *format, Jsonb *document, bool open,
						  StringInfo layout, GsDocumentVisit visit,
						  void *arg);
extern bool gs_format_is_layout(const GsFormat *format, const char *layout);
extern void gs_format_path(const GsFormat *format, uint32 place,
						   StringInfo out);
extern bool gs_format_has_type(const GsFormat *format, uint32 node,
							   JsonType type);
extern uint32 gs_format_places(const GsFormat *format);

/* format_draw_json.c */
extern void gs_format_draw_json(const GsFormat *format, const char *layout,
							   const GsLeaves *leaves, GsRandom *random,
							   StringInfo out);

#endif
