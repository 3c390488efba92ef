/*
 * order.h
 *	  Keys that carry order: which columns rise or fall with them.
 */
#ifndef GENSYNTH_ORDER_H
#define GENSYNTH_ORDER_H

#include "column/column.h"
#include "learn/learn.h"

extern void gs_orders_find(GsSample *sample, int threshold);
extern bool gs_order_is_possible(const GsColumn *column, GsLane *lane,
								 int64 nrows);
extern void gs_orders_settle(GsSchema *schema);
extern bool gs_order_matters(const GsEncoded *encoded, int nfeatures,
							 const uint16 *bin, int nbins);

#endif
