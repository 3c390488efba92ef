/*
 * dictionary.h
 *	  The lists that values are made of: names, cities, states, streets and
 *	  countries of the locales, as constant arrays (data/, dictionary.awk).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_DICTIONARY_H
#define GENSYNTH_DICTIONARY_H

#include <stdint.h>

#include "mask/kinds.h"

typedef struct GsDataRow
{
	uint32_t	text;			/* where its first field begins */
	uint32_t	upto;			/* sum of the weights in its group up to it */
} GsDataRow;

typedef struct GsDataGroup
{
	int16_t		locale;
	char		sex;			/* f, m, or x where it says nothing */
	uint32_t	first;			/* of the rows */
	uint32_t	n;
} GsDataGroup;

typedef struct GsData
{
	const char *text;
	const GsDataRow *rows;
	const GsDataGroup *groups;
	int			ngroups;
} GsData;

/* fields of a row */
enum
{
	GS_NAME_VALUE, GS_NAME_LATIN
};
enum
{
	GS_CITY_NAME, GS_CITY_LATIN, GS_CITY_STATE, GS_CITY_LATITUDE,
	GS_CITY_LONGITUDE
};
enum
{
	GS_STATE_CODE, GS_STATE_NAME, GS_STATE_LATIN, GS_STATE_POSTCODES
};

extern const GsData gs_data_first_names;
extern const GsData gs_data_last_names;
extern const GsData gs_data_cities; /* those of a state stand together */
extern const GsData gs_data_states;
extern const GsData gs_data_streets;
extern const GsData gs_data_countries;

extern const GsDataGroup *gs_data_group(const GsData *data, int locale,
										char sex);
extern const char *gs_data_field(const GsData *data, uint32_t row, int field);
extern uint32_t gs_data_draw(const GsData *data, const GsDataGroup *group,
							 uint32_t first, uint32_t last, uint64_t random);
extern int	gs_fold_latin(const char *text, int len, int locale, char *out,
						  int size);
extern int	gs_latin_text(const char *text, int len, int locale, char *out,
						  int size);
extern int	gs_utf8_chars(const char *text, int len);

#endif
