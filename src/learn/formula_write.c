/*
 * formula_write.c
 *	  Equations between numbers, as SQL.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "learn/formula_internal.h"

static void
append_number(StringInfo out, double value)
{
	appendStringInfo(out, "%.12g", value);
}

static void
append_column(const Search *search, StringInfo out, int i)
{
	appendStringInfoString(out, quote_identifier(search->number[i].name));
	if (!search->plain)
		appendStringInfoString(out, search->any_float ?
							   "::pg_catalog.float8" :
							   "::pg_catalog.numeric");
}

/*
 * The numbers of a product with a sign of their exponents.  Returns how many.
 */
static int
append_powers(const Search *search, const Formula *formula, int sign,
			  StringInfo out)
{
	int			n = 0;

	for (int i = 0; i < search->n; i++)
		for (int k = 0; k < rint(formula->factor[i] * sign); k++)
		{
			if (n++ > 0)
				appendStringInfoString(out, " * ");
			append_column(search, out, i);
		}
	if (formula->pair_factor * sign > 0)
	{
		if (n++ > 0)
			appendStringInfoString(out, " * ");
		appendStringInfoChar(out, '(');
		if (formula->pair[0] < 0)
			append_number(out, formula->whole);
		else
			append_column(search, out, formula->pair[0]);
		appendStringInfoString(out, formula->sign > 0 ? " + " : " - ");
		append_column(search, out, formula->pair[1]);
		appendStringInfoChar(out, ')');
	}
	return n;
}

static void
append_product(const Search *search, const Formula *formula, StringInfo out)
{
	StringInfoData above;
	StringInfoData below;
	int			nabove;
	int			nbelow;

	initStringInfo(&above);
	initStringInfo(&below);
	nabove = append_powers(search, formula, 1, &above);
	nbelow = append_powers(search, formula, -1, &below);
	if (formula->constant != 1 || nabove == 0)
	{
		append_number(out, formula->constant);
		appendStringInfoString(out, nabove > 0 ? " * " : "");
	}
	appendStringInfoString(out, above.data);
	if (nbelow > 0)
		appendStringInfo(out, nbelow > 1 ? " / (%s)" : " / %s", below.data);
}

static void
append_sum(const Search *search, const Formula *formula, StringInfo out)
{
	bool		any = false;

	for (int i = 0; i < search->n; i++)
	{
		double		factor = formula->factor[i];

		if (factor == 0)
			continue;
		appendStringInfoString(out, factor < 0 ? (any ? " - " : "-") :
							   any ? " + " : "");
		if (fabs(factor) != 1)
		{
			append_number(out, fabs(factor));
			appendStringInfoString(out, " * ");
		}
		append_column(search, out, i);
		any = true;
	}
	if (formula->constant != 0)
	{
		appendStringInfoString(out, formula->constant < 0 ? " - " : " + ");
		append_number(out, fabs(formula->constant));
	}
}

/*
 * Whether a sum is one of whole multiples, whose terms have no more places
 * than the whole.
 */
static bool
is_exact_sum(const Search *search, const Formula *formula, int target)
{
	if (formula->product)
		return false;
	for (int i = 0; i < search->n; i++)
		if (formula->factor[i] != 0 &&
			(formula->factor[i] != rint(formula->factor[i]) ||
			 search->number[i].decimals < 0 ||
			 search->number[i].decimals > search->number[target].decimals))
			return false;
	return true;
}

/*
 * gs_formula_write: the condition that a number is what a formula gives.
 *
 * plain: for people, not to be run
 */
char *
gs_formula_write(Search *search, const Formula *formula, int target, bool plain)
{
	const Number *number = &search->number[target];
	bool		rounded = number->decimals >= 0 &&
		(search->any_float || !is_exact_sum(search, formula, target));
	StringInfoData out;

	initStringInfo(&out);
	search->plain = plain;
	appendStringInfo(&out, "%s = ", quote_identifier(number->name));
	if (rounded)
		appendStringInfoString(&out, plain ? "round(" : "pg_catalog.round((");
	if (formula->base != 0)
		appendStringInfo(&out, "%s%s(", plain ? "" : "pg_catalog.",
						 formula->base == 10 ? "log" : "ln");
	if (formula->product)
		append_product(search, formula, &out);
	else
		append_sum(search, formula, &out);
	if (formula->base != 0)
		appendStringInfoChar(&out, ')');
	if (rounded)
		appendStringInfo(&out, "%s, %d)",
						 plain ? "" : ")::pg_catalog.numeric",
						 number->decimals);
	return out.data;
}
