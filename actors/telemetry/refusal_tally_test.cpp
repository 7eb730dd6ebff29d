#include "actors/telemetry/refusal_tally.hpp"

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

TEST(RefusalTally, CountsEachAndSaysOneLineForMany) {
  testing::scratch_directory dir;
  auto counts = std::make_shared<metrics>();
  event_log::options where;
  where.file = (dir.path() / "log").string();
  auto log = *event_log::open(where);
  refusal_tally tally{"agents", counts, &metrics::ingest_refused_connections_total, log};
  auto from = *net::parse_ip("192.0.2.7");
  for (int i = 0; i < 1'000; ++i)
    tally.note(net::refusal::total, from, i);
  tally.note(net::refusal::rate, from, 500);
  tally.note(net::refusal::total, from, refusal_tally::log_every_ms);
  EXPECT_EQ(tally.total(), 1'002u);
  EXPECT_EQ(counts->ingest_refused_connections_total.value_for("total"), 1'001);
  EXPECT_EQ(counts->ingest_refused_connections_total.value_for("rate"), 1);
  EXPECT_EQ(log->count(log_event::connections_refused), 3u);
  log->flush();
  auto text = dir.read("log");
  EXPECT_NE(text.find("port=agents reason=total connections=1 last_from=192.0.2.7"), std::string::npos)
      << text;
  EXPECT_NE(text.find("port=agents reason=total connections=1000 last_from"), std::string::npos) << text;
}

TEST(RefusalTally, EveryReasonIsALabelOfBothCounters) {
  auto counts = std::make_shared<metrics>();
  refusal_tally agents{"agents", counts, &metrics::ingest_refused_connections_total, event_log::silent()};
  refusal_tally enrollment{"enrollment", counts, &metrics::enrollment_refused_connections_total,
                           event_log::silent()};
  for (std::size_t i = 0; i < net::refusal_count; ++i) {
    auto reason = static_cast<net::refusal>(i);
    agents.note(reason, {}, 0);
    enrollment.note(reason, {}, 0);
    EXPECT_EQ(counts->ingest_refused_connections_total.value_for(net::name_of(reason)), 1);
    EXPECT_EQ(counts->enrollment_refused_connections_total.value_for(net::name_of(reason)), 1);
  }
}

} // namespace
} // namespace picket
