/*
 * kinds.h
 *	  Kinds of personal values: one table of their names, what they look like,
 *	  and what they fit; and the locales that values are made in.
 *
 * Plain C: no postgres.h.  All text is UTF-8.
 */
#ifndef GENSYNTH_KINDS_H
#define GENSYNTH_KINDS_H

#include <stdbool.h>

typedef enum GsKindId
{
	GS_KIND_EMAIL,
	GS_KIND_PHONE,				/* international: +12025550143 */
	GS_KIND_PHONE_NATIONAL,		/* (202) 555-0143 */
	GS_KIND_FIRST_NAME,
	GS_KIND_LAST_NAME,
	GS_KIND_FULL_NAME,
	GS_KIND_USER_NAME,
	GS_KIND_STREET_ADDRESS,
	GS_KIND_CITY,
	GS_KIND_POSTCODE,
	GS_KIND_STATE,
	GS_KIND_STATE_CODE,
	GS_KIND_COUNTRY,
	GS_KIND_COUNTRY_CODE,		/* ISO 3166, two letters */
	GS_KIND_LATITUDE,
	GS_KIND_LONGITUDE,
	GS_KIND_COORDINATES,		/* (longitude,latitude), as in type point */
	GS_KIND_BIRTH_DATE,
	GS_KIND_SEX,
	GS_KIND_US_SSN,
	GS_KIND_UK_NINO,
	GS_KIND_DE_STEUER_ID,
	GS_KIND_FR_NIR,
	GS_KIND_ES_DNI,				/* a NIE, too */
	GS_KIND_IT_CODICE_FISCALE,
	GS_KIND_NL_BSN,
	GS_KIND_PL_PESEL,
	GS_KIND_BR_CPF,
	GS_KIND_BR_CNPJ,
	GS_KIND_JP_MY_NUMBER,
	GS_KIND_NATIONAL_ID,		/* the one of the row's country */
	GS_KIND_PASSPORT,
	GS_KIND_DRIVER_LICENCE,
	GS_KIND_PAYMENT_CARD,
	GS_KIND_IBAN,
	GS_KIND_IP,
	GS_KIND_IPV6,
	GS_KIND_MAC,
	GS_KIND_URL,
	GS_KIND_UUID,
	GS_KIND_LICENCE_PLATE,
	GS_KIND_ACCOUNT_NUMBER,
	GS_KIND_FREE_TEXT,			/* prose that may hold any of these */
	GS_KIND_COUNT
} GsKindId;

/* What types take a kind's values, besides texts, which take all of them. */
enum
{
	GS_FITS_DIGITS = 1 << 0,	/* whole numbers: without what is no digit */
	GS_FITS_NUMBER = 1 << 1,	/* float8, numeric */
	GS_FITS_DATE = 1 << 2,		/* dates and time stamps */
	GS_FITS_UUID = 1 << 3,
	GS_FITS_INET = 1 << 4,
	GS_FITS_MACADDR = 1 << 5,
	GS_FITS_POINT = 1 << 6
};

typedef struct GsKind
{
	GsKindId	id;
	const char *name;			/* as users write it: "email" */
	const char *description;	/* of one line */
	int			fits;			/* GS_FITS_*, besides texts */
	int			digits;			/* of its longest value, with GS_FITS_DIGITS */
	int			shortest;		/* characters that a text must have room for */
	bool		unique;			/* a suffix makes its values distinct */
	bool		checked;		/* its test knows check digits or a grammar
								 * that little else passes */
	bool		(*matches) (const char *text, int len);
} GsKind;

typedef enum GsLocaleId
{
	GS_LOCALE_EN_US,			/* also where nothing says another */
	GS_LOCALE_EN_GB,
	GS_LOCALE_DE_DE,
	GS_LOCALE_FR_FR,
	GS_LOCALE_ES_ES,
	GS_LOCALE_IT_IT,
	GS_LOCALE_NL_NL,
	GS_LOCALE_PL_PL,
	GS_LOCALE_PT_BR,
	GS_LOCALE_JA_JP,
	GS_LOCALE_COUNT
} GsLocaleId;

typedef enum GsSex
{
	GS_SEX_UNKNOWN,
	GS_SEX_FEMALE,
	GS_SEX_MALE
} GsSex;

extern const GsKind gs_kinds[GS_KIND_COUNT];
extern const char *const gs_locale_names[GS_LOCALE_COUNT];	/* "de_DE" */

extern const GsKind *gs_kind_by_name(const char *name);
extern bool gs_kind_matches(const GsKind *kind, const char *text, int len);
extern int	gs_locale_by_name(const char *name);
extern int	gs_locale_by_country(const char *country, int len);
extern const char *gs_country_name(int locale);
extern GsSex gs_sex_of(const char *text, int len);
extern bool gs_same_text(const char *a, const char *b, int len);

#endif
