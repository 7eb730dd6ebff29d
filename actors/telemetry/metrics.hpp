#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Registry;
} // namespace prometheus

namespace picket {

/// One metric of type counter; with a label, one series per listed value. Thread-safe.
class counter_metric {
public:
  void add(double amount = 1) const;
  /// `value` must be one of the listed ones; another is a defect and counts on the first.
  void add_for(std::string_view value, double amount = 1) const;
  /// For what somebody else counts: adds what is missing up to `total`. From collectors only.
  void raise_to(double total) const;
  void raise_to_for(std::string_view value, double total) const;
  double value() const;
  double value_for(std::string_view value) const;

private:
  friend class metrics;
  prometheus::Counter* series(std::string_view value) const;
  std::vector<std::pair<std::string, prometheus::Counter*>> series_;
};

/// One metric of type gauge. Thread-safe.
class gauge_metric {
public:
  void set(double value) const;
  void add(double amount) const;
  void set_for(std::string_view value, double amount) const;
  void add_for(std::string_view value, double amount) const;
  double value() const;
  double value_for(std::string_view value) const;

private:
  friend class metrics;
  prometheus::Gauge* series(std::string_view value) const;
  std::vector<std::pair<std::string, prometheus::Gauge*>> series_;
};

/// Every metric of the node (table: base/telemetry/metrics.def), made once and handed to those who count.
class metrics {
public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

#define PICKET_METRIC(type, name, labels, meaning) type##_metric name;
#include "base/telemetry/metrics.def"
#undef PICKET_METRIC

  /// `collect` is called before the metrics are read, so that a gauge is as it is at that moment. It must be
  /// quick and must not wait for a disk or an actor; collectors run one at a time.
  void add_collector(std::function<void(const metrics&)> collect);
  /// Calls the collectors.
  void refresh() const;
  /// The text that Prometheus reads; refreshed.
  std::string render() const;
  /// Every series of every counter, named as on the page, and their values in the same order.
  std::vector<std::string> counter_series() const;
  std::vector<double> counter_values() const;

private:
  void make(counter_metric& metric, const std::string& name, const std::string& labels,
            const std::string& meaning);
  void make(gauge_metric& metric, const std::string& name, const std::string& labels,
            const std::string& meaning);
  std::shared_ptr<prometheus::Registry> registry_;
  mutable std::mutex collecting_;
  std::vector<std::function<void(const metrics&)>> collectors_;
};

/// One row of the table, for the manual page.
struct metric_info {
  std::string_view type;
  std::string_view name;
  std::string_view labels;
  std::string_view meaning;
};
const std::vector<metric_info>& all_metrics();

} // namespace picket
