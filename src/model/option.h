/*
 * option.h
 *	  Keys of synth_fit's options: what each is, and where its value goes.
 *
 * Whoever has options keeps them in a struct of its own, and describes its
 * members in an array of GsOptionDef.  fit/options.c reads and checks them.
 */
#ifndef GENSYNTH_OPTION_H
#define GENSYNTH_OPTION_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef enum GsOptionType
{
	GS_OPTION_INT,				/* int64, from min to max */
	GS_OPTION_AUTO,				/* the same, or GS_OPTION_IS_AUTO, the default */
	GS_OPTION_FLAG_OR_LIST,		/* GsFlagOrNames */
	GS_OPTION_RATE,				/* double, over 0 and at most 1; 0: left out */
	GS_OPTION_NAME,				/* char *; NULL: left out */
	GS_OPTION_LIST,				/* List of C strings */
	GS_OPTION_CHOICE,			/* const char *, one of choices */
	GS_OPTION_CHOICES,			/* List of GsNamedChoice: one for each name */
	GS_OPTION_VALUES			/* List of GsNamedValues: some for each name */
} GsOptionType;

#define GS_OPTION_IS_AUTO	(-1)	/* written "auto" */

/* Of all, or of some by name. */
typedef struct GsFlagOrNames
{
	int64		on;				/* 0 or 1 */
	List	   *names;			/* C strings */
} GsFlagOrNames;

typedef struct GsNamedChoice
{
	char	   *name;
	const char *choice;			/* one of choices */
} GsNamedChoice;

typedef struct GsNamedValues
{
	char	   *name;
	List	   *values;			/* C strings: what JSON has between quotes, or a
								 * number or truth as it is written */
} GsNamedValues;

typedef struct GsOptionDef
{
	const char *name;
	GsOptionType type;
	Size		offset;			/* of the value, in the struct */
	int64		min;			/* INT, AUTO */
	int64		max;
	int64		value;			/* by default */
	const char *what;			/* NAME, LIST, CHOICES, VALUES: what it is made of, for a
								 * hint ... */
	const char *example;		/* ... and how they are written */
	const char *const *choices; /* CHOICE: NULL-terminated, the default first;
								 * CHOICES: in any order */
} GsOptionDef;

#define GS_OPTION_NUMBER(key, type, min, max, value) \
	{#key, GS_OPTION_INT, offsetof(type, key), min, max, value, NULL, NULL, NULL}
#define GS_OPTION_AUTO_NUMBER(key, type, min, max) \
	{#key, GS_OPTION_AUTO, offsetof(type, key), min, max, \
		GS_OPTION_IS_AUTO, NULL, NULL, NULL}
#define GS_OPTION_STRINGS(key, type, what, example) \
	{#key, GS_OPTION_LIST, offsetof(type, key), 0, 0, 0, what, example, NULL}
#define GS_OPTION_STRING(key, type, what, example) \
	{#key, GS_OPTION_NAME, offsetof(type, key), 0, 0, 0, what, example, NULL}
#define GS_OPTION_NAMED_VALUES(key, type, what, example) \
	{#key, GS_OPTION_VALUES, offsetof(type, key), 0, 0, 0, what, example, NULL}

#endif
