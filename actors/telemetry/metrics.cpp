#include "actors/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace picket {

namespace {

/// "reason=a|b" as label name and values; one empty value where there is no label.
struct label_list {
  std::string name;
  std::vector<std::string> values;
};

label_list split_labels(const std::string& text) {
  label_list list;
  auto equals = text.find('=');
  if (equals == std::string::npos) {
    list.values.emplace_back();
    return list;
  }
  list.name = text.substr(0, equals);
  for (std::size_t from = equals + 1; from <= text.size();) {
    auto to = std::min(text.find('|', from), text.size());
    list.values.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return list;
}

template <class Family, class Series>
void add_series(Family& family, const std::string& labels, Series& series) {
  auto list = split_labels(labels);
  for (const auto& value : list.values) {
    auto& one = list.name.empty() ? family.Add({}) : family.Add({{list.name, value}});
    series.emplace_back(value, &one);
  }
}

template <class Series>
auto find_series(const Series& series, std::string_view value) {
  for (const auto& [name, one] : series)
    if (name == value) return one;
  return series.front().second;
}

} // namespace

metrics::metrics()
    : registry_{std::make_shared<prometheus::Registry>()} {
#define PICKET_METRIC(type, name, labels, meaning) make(name, "picket_" #name, labels, meaning);
#include "base/telemetry/metrics.def"
#undef PICKET_METRIC
}

metrics::~metrics() = default;

void metrics::make(counter_metric& metric, const std::string& name, const std::string& labels,
                   const std::string& meaning) {
  auto& family = prometheus::BuildCounter().Name(name).Help(meaning).Register(*registry_);
  add_series(family, labels, metric.series_);
}

void metrics::make(gauge_metric& metric, const std::string& name, const std::string& labels,
                   const std::string& meaning) {
  auto& family = prometheus::BuildGauge().Name(name).Help(meaning).Register(*registry_);
  add_series(family, labels, metric.series_);
}

void metrics::add_collector(std::function<void(const metrics&)> collect) {
  std::lock_guard lock{collecting_};
  collectors_.push_back(std::move(collect));
}

void metrics::refresh() const {
  std::lock_guard lock{collecting_};
  for (const auto& collect : collectors_)
    collect(*this);
}

std::string metrics::render() const {
  refresh();
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

std::vector<std::string> metrics::counter_series() const {
  std::vector<std::string> all;
  auto take = [&](const auto& metric, const std::string& name, const std::string& labels) {
    if constexpr (std::is_same_v<std::decay_t<decltype(metric)>, counter_metric>) {
      auto label = split_labels(labels).name;
      for (const auto& one : metric.series_)
        all.push_back(label.empty() ? name : name + "{" + label + "=\"" + one.first + "\"}");
    }
  };
#define PICKET_METRIC(type, name, labels, meaning) take(name, "picket_" #name, labels);
#include "base/telemetry/metrics.def"
#undef PICKET_METRIC
  return all;
}

std::vector<double> metrics::counter_values() const {
  std::vector<double> all;
  auto take = [&](const auto& metric) {
    if constexpr (std::is_same_v<std::decay_t<decltype(metric)>, counter_metric>)
      for (const auto& one : metric.series_)
        all.push_back(one.second->Value());
  };
#define PICKET_METRIC(type, name, labels, meaning) take(name);
#include "base/telemetry/metrics.def"
#undef PICKET_METRIC
  return all;
}

prometheus::Counter* counter_metric::series(std::string_view value) const {
  return find_series(series_, value);
}
void counter_metric::add(double amount) const { series_.front().second->Increment(amount); }
void counter_metric::add_for(std::string_view value, double amount) const {
  series(value)->Increment(amount);
}
void counter_metric::raise_to(double total) const {
  auto& one = *series_.front().second;
  if (total > one.Value()) one.Increment(total - one.Value());
}
void counter_metric::raise_to_for(std::string_view value, double total) const {
  auto& one = *series(value);
  if (total > one.Value()) one.Increment(total - one.Value());
}
double counter_metric::value() const { return series_.front().second->Value(); }
double counter_metric::value_for(std::string_view value) const { return series(value)->Value(); }

prometheus::Gauge* gauge_metric::series(std::string_view value) const { return find_series(series_, value); }
void gauge_metric::set(double value) const { series_.front().second->Set(value); }
void gauge_metric::add(double amount) const { series_.front().second->Increment(amount); }
void gauge_metric::set_for(std::string_view value, double amount) const { series(value)->Set(amount); }
void gauge_metric::add_for(std::string_view value, double amount) const { series(value)->Increment(amount); }
double gauge_metric::value() const { return series_.front().second->Value(); }
double gauge_metric::value_for(std::string_view value) const { return series(value)->Value(); }

const std::vector<metric_info>& all_metrics() {
  static const std::vector<metric_info> all = {
#define PICKET_METRIC(type, name, labels, meaning) {#type, "picket_" #name, labels, meaning},
#include "base/telemetry/metrics.def"
#undef PICKET_METRIC
  };
  return all;
}

} // namespace picket
