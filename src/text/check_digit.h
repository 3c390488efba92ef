/*
 * check_digit.h
 *	  Numbers that carry check digits.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_CHECK_DIGIT_H
#define GENSYNTH_CHECK_DIGIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum GsCheckDigit
{
	GS_CHECK_NONE,
	GS_CHECK_LUHN,				/* cards, IMEI */
	GS_CHECK_GTIN,				/* EAN, UPC, ISBN-13 */
	GS_CHECK_MOD11,				/* ISBN-10, ISSN, NHS numbers */
	GS_CHECK_ABA,				/* routing numbers */
	GS_CHECK_IBAN,				/* digits 3 and 4, of letters too */
	GS_CHECK_MOD97,				/* the same at the end: LEI */
	GS_CHECK_COUNT
} GsCheckDigit;

#define GS_CHECK_MAX_BYTES	128 /* of a text that is looked at */

/* What has been seen of each, while it is looked for. */
typedef struct GsCheckTally
{
	int64_t		values;
	int64_t		valid[GS_CHECK_COUNT];
} GsCheckTally;

extern bool gs_check_holds(GsCheckDigit check, const char *text, int len);
extern void gs_check_set(GsCheckDigit check, char *text, int len);
extern int	gs_check_places(GsCheckDigit check, const char *text, int len,
							int places[2]);
extern void gs_check_count(GsCheckTally *tally, const char *text, int len);
extern GsCheckDigit gs_check_found(const GsCheckTally *tally);

#endif
