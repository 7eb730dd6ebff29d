#include "node/picketctl/node_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace picket::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

json well() {
  return json::parse(R"({
    "node":"n1","version":"0.1.0","cluster":"","started":"2026-01-02T03:04:05+00:00","uptime_seconds":273840,
    "ready":{"ingest":true,"control":true},
    "facts":{"agents_port":"0.0.0.0:1514","enrollment_port":"off","overflow":"accepting","registry":"embedded",
             "journal_file":"2026/Jan/ossec-alerts-05.json","ruleset":"68dd"},
    "counts":{"executors":2},
    "findings":[],
    "ingest":{"connections":60,"agents_connected":57,"records_per_second":1234.4,"bytes_per_second":430080,
              "throttled_connections":0,"paused_connections":0,"limited_connections":0,"enrollments_last_minute":0},
    "waiting":{"oldest_seconds":0.213,"pool_used_segments":12,"pool_segments":2048,"overflow_batches":0,
               "overflow_bytes":0,"ready_shards":0,"dead_letters":0},
    "analysis":{"events_per_second":1230,"alerts_per_second":3.25,"busy_executors":1,"processor_cores":0.8,
                "resident_bytes":220200960},
    "journal":{"bytes_per_second":122880,"waiting_batches":0,"failing_seconds":0},
    "agents":{"active":57,"pending":1,"disconnected":3,"never_connected":9},
    "disks":[{"of":"journal and data","directory":"/var/log/picket","free_bytes":48533340160,"least_bytes":268435456}],
    "last_minute":{"seconds":60,"refused":[]}})");
}

TEST(NodeView, ANodeThatIsWellSaysSoFirst) {
  EXPECT_EQ(node_status_text(well(), false),
            "All is well: the node takes events and changes.\n"
            "\n"
            "node      n1, version 0.1.0, up 3 d 4 h\n"
            "ingest    1,234 records/s, 420 KiB/s from 57 agents on 60 connections\n"
            "waiting   oldest 0.2 s; pool 1 % of 2,048 segments; overflow empty\n"
            "analysis  1,230 events/s, 3.2 alerts/s; 1 of 2 executors busy; 0.80 cores, 210 MiB\n"
            "journal   120 KiB/s into 2026/Jan/ossec-alerts-05.json; nothing waits\n"
            "disk      45 GiB free, 256 MiB must be: journal and data, /var/log/picket\n"
            "agents    57 active, 1 pending, 3 disconnected, 9 never connected\n"
            "refused   in the last 60 s: nothing\n"
            "\n"
            "agents port      0.0.0.0:1514\n"
            "enrollment port  off\n"
            "registry         embedded\n"
            "ruleset          68dd\n");
}

TEST(NodeView, ANodeThatIsNotReadySaysWhatToDo) {
  auto data = well();
  data["ready"] = {{"ingest", false}, {"control", false}};
  data["findings"] = json::parse(R"([
    {"what":"only 5 MiB left on the disk of the data directory /var/lib/picket","mend":"free room there",
     "stops_ingest":true,"stops_control":true},
    {"what":"events are analysed 12 s late","mend":"watch whether it grows","stops_ingest":false,"stops_control":false}])");
  data["journal"]["failing_seconds"] = 75.2;
  data["journal"]["waiting_batches"] = 2;
  data["ingest"]["paused_connections"] = 4;
  data["waiting"] = json::parse(R"({"oldest_seconds":75.5,"pool_used_segments":2048,"pool_segments":2048,
    "overflow_batches":1200,"overflow_bytes":314572800,"dead_letters":1})");
  data["facts"]["overflow"] = "full";
  data["last_minute"]["refused"] = json::parse(
      R"([{"what":"records","reason":"wrong_key","count":17},{"what":"matches given up","count":1}])");
  auto text = node_status_text(data, false);
  EXPECT_THAT(text, StartsWith("NOT READY: send this node no agents and no changes.\n"
                               "  ! only 5 MiB left on the disk of the data directory /var/lib/picket\n"
                               "    -> free room there\n"
                               "  - events are analysed 12 s late\n"
                               "    -> watch whether it grows\n"
                               "\n"));
  EXPECT_THAT(text, HasSubstr("4 not read, for want of room"));
  EXPECT_THAT(text,
              HasSubstr("oldest 75 s; pool 100 % of 2,048 segments; overflow 1,200 batches, 300 MiB (full); "
                        "1 dead letter\n"));
  EXPECT_THAT(text, HasSubstr("2 batches wait; FAILING for 75 s"));
  EXPECT_THAT(text, HasSubstr("in the last 60 s: 17 records (wrong_key), 1 matches given up\n"));
}

TEST(NodeView, ReadinessIsSaidByKind) {
  auto data = well();
  data["ready"] = {{"ingest", false}, {"control", true}, {"because", "the node stops"}};
  EXPECT_THAT(node_status_text(data, false),
              StartsWith("NOT READY: send this node no agents.\n  the node stops\n"));
  data["ready"] = {{"ingest", true}, {"control", false}};
  EXPECT_THAT(node_status_text(data, false), StartsWith("NOT READY for changes:"));
  data["ready"] = {{"ingest", true}, {"control", true}};
  data["findings"] = json::parse(R"([{"what":"a word","mend":""}])");
  EXPECT_THAT(node_status_text(data, false), StartsWith("The node works, but look at this:\n  - a word\n\n"));
}

TEST(NodeView, ColoursAreForTerminalsOnly) {
  auto data = well();
  EXPECT_THAT(node_status_text(data, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(node_status_text(data, true), StartsWith("\x1b[1;32mAll is well"));
  data["findings"] = json::parse(R"([{"what":"a word","mend":""}])");
  EXPECT_THAT(node_status_text(data, true), StartsWith("\x1b[1;33m"));
  data["ready"]["ingest"] = false;
  EXPECT_THAT(node_status_text(data, true), StartsWith("\x1b[1;31m"));
}

TEST(NodeView, TextFromTheNodeCannotMoveTheCursor) {
  auto data = well();
  data["node"] = "n\x1b[2J";
  data["findings"] = json::parse(R"([{"what":"a\u001bb","mend":"c\u0007"}])");
  EXPECT_THAT(node_status_text(data, false), Not(HasSubstr("\x1b")));
}

TEST(NodeView, OddAnswersAreSurvived) {
  EXPECT_EQ(node_status_text(json::object(), false), "");
  for (const char* odd :
       {R"({"node":5})", R"({"ready":7,"findings":"x","ingest":[],"disks":{}})",
        R"({"ingest":{},"last_minute":[],"facts":null,"counts":[1]})",
        R"({"ready":{"ingest":"yes"},"findings":[1,null,{}],"disks":[1,{}],"ingest":{"connections":"x"}})"})
    EXPECT_NE(node_status_text(json::parse(odd), false), "") << odd;
}

TEST(NodeView, FiguresHaveUnits) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(0.25), "0.2");
  EXPECT_EQ(count_text(9), "9");
  EXPECT_EQ(count_text(9.96), "10");
  EXPECT_EQ(count_text(1'234'567.8), "1,234,568");
  EXPECT_EQ(count_text(-3), "0");
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1'023), "1023 B");
  EXPECT_EQ(bytes_text(1'536), "1.5 KiB");
  EXPECT_EQ(bytes_text(17.4 * 1'048'576), "17 MiB");
  EXPECT_EQ(bytes_text(5e15), "4547 TiB");
  EXPECT_EQ(span_text(0), "0 s");
  EXPECT_EQ(span_text(0.42), "0.4 s");
  EXPECT_EQ(span_text(119), "119 s");
  EXPECT_EQ(span_text(180), "3 min");
  EXPECT_EQ(span_text(18'600), "5 h 10 min");
  EXPECT_EQ(span_text(1'047'600), "12 d 3 h");
}

} // namespace
} // namespace picket::ctl
