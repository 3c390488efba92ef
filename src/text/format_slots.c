/*
 * format_slots.c
 *	  Texts that nearly all have their words and numbers in the same places, as
 *	  INV-DE-2024-00017 and INV-FR-2023-4 have: a number may be longer or
 *	  shorter.
 *
 * Templates that differ in the lengths of numbers alone are one form.  If most
 * texts are of one, the common form, its slots can be told one by one.
 */
#include "postgres.h"

#include "text/format_internal.h"
#include "text/slots.h"

#define COMMON_SHARE	0.80	/* of the texts, that are of the common form */
#define FORM_TRIES		64

/* A class of tokens, whatever the length of a number. */
static inline uint8
form_class(uint8 class)
{
	return class > CLASS_DIGITS && class < CLASS_CODE ? CLASS_DIGITS : class;
}

static bool
same_form(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (form_class((uint8) *a) != form_class((uint8) *b))
			return false;
	return *a == *b;
}

static const FormatItem *
templates_of(const GsFormat *format, int *n)
{
	uint32		dist;

	*n = 0;
	if (format->head.root != FORMAT_TEXT || format->head.ntexts == 0)
		return NULL;
	dist = format->texts[0].templates;
	*n = format->dists[dist + 1] - format->dists[dist];
	return format->items + format->dists[dist];
}

static inline const FormatItem *
template_at(const GsFormat *format, int at)
{
	return format->items + format->dists[format->texts[0].templates] + at;
}

static bool
is_common(const GsFormat *format, int common, const FormatItem *template)
{
	return template != NULL &&
		same_form(format->bytes + template->a,
				  format->bytes + template_at(format, common)->a);
}

/*
 * gs_format_common: the most frequent template of the common form; -1: there is
 * no such form.
 */
int
gs_format_common(const GsFormat *format)
{
	int			n;
	const FormatItem *item = templates_of(format, &n);
	int			best = -1;
	double		best_share = 0;
	double		form_share = 0;

	for (int i = 0; i < n; i++)
	{
		double		share = (double) item[i].cum - (i > 0 ? item[i - 1].cum : 0);

		if (share > best_share)
		{
			best = i;
			best_share = share;
		}
	}
	for (int i = 0; i < n && best >= 0; i++)
		if (is_common(format, best, &item[i]))
			form_share += (double) item[i].cum - (i > 0 ? item[i - 1].cum : 0);
	return form_share >= COMMON_SHARE * FORMAT_ALL ? best : -1;
}

/*
 * gs_format_slots: how many slots the common form has; 0 where there is none,
 * or it has more than GS_MAX_SLOTS.
 */
int
gs_format_slots(const GsFormat *format, int common)
{
	int			n = 0;

	if (common < 0)
		return 0;
	for (const uint8 *class = (const uint8 *) format->bytes +
		 template_at(format, common)->a; *class; class++)
		n += CLASS_IS_SLOT(*class);
	return n <= GS_MAX_SLOTS ? n : 0;
}

/*
 * gs_format_tokens: what stands in the slots of a text.
 *
 * common: from gs_format_common, with slots; token: [gs_format_slots], filled,
 * of the text's own bytes.  Returns false if the text is not of the common
 * form.
 */
bool
gs_format_tokens(const GsFormat *format, int common, const char *text, int len,
				 GsToken *token)
{
	const uint8 *class = (const uint8 *) format->bytes +
		template_at(format, common)->a;
	FormatToken found[FORMAT_MAX_TOKENS];
	int			n = gs_format_classify(text, len, found);

	for (int i = 0; i < n; i++, class++)
	{
		if (*class == 0 || form_class(*class) != form_class(found[i].class))
			return false;
		if (CLASS_IS_SLOT(*class))
			*token++ = (GsToken) {
			text + found[i].start, found[i].len
		};
	}
	return n >= 0 && *class == 0;
}

/*
 * gs_format_draw_tokens: appends a text of which something is known, that is
 * no rare one of the source if there is any other.
 *
 * token: [gs_format_slots] what stands in the slots of the common form; NULL:
 * it is not of that form.
 */
void
gs_format_draw_tokens(const GsFormat *format, int common, const GsToken *token,
					  GsRandom *random, StringInfo out)
{
	FormatKnown known = {.token = token};

	for (int i = 0; i < FORM_TRIES; i++)
	{
		known.template = format_pick(format, format->texts[0].templates,
									 gs_random_u32(random));
		if (is_common(format, common, known.template) == (token != NULL))
			break;
	}
	if (token != NULL && !is_common(format, common, known.template))
		known.template = template_at(format, common);
	gs_format_draw_text(format, &format->texts[0], &known, random, out);
}
