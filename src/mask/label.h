/*
 * label.h
 *	  Labels of columns: rules of masking kept as security labels.
 */
#ifndef GENSYNTH_LABEL_H
#define GENSYNTH_LABEL_H

#include "postgres.h"

#include "access/attnum.h"
#include "mask/rule.h"

#define GS_LABEL_PROVIDER	"gensynth"

extern void gs_label_init(void);
extern GsRule *gs_label_of(Oid relid, AttrNumber column);

#endif
