#include "engine/event/source.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

TEST(SplitMessage, UndoesEscapesOfTheLocation) {
  auto one = split_message("1:[002|] (ag) any->/x:hello");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->location, "[002] (ag) any->/x");
  EXPECT_EQ(one->text, "hello");
  EXPECT_EQ(split_message("1:lo|:c:x")->location, "lo:c");
  EXPECT_EQ(split_message("1:lo||c:x")->location, "lo|c");
  EXPECT_EQ(split_message("1:l|oc:x")->location, "loc");
  EXPECT_EQ(split_message("1:|:a|||:b:c:d")->text, "c:d");
}

TEST(SplitMessage, ByteOneIsNotRead) {
  auto got = split_message("12:x:y");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->queue, '1');
  EXPECT_EQ(got->location, "");
  EXPECT_EQ(got->text, "x:y");
}

TEST(SplitMessage, DefectsAndLimits) {
  EXPECT_EQ(split_message("1:a").error(), message_defect::too_short);
  EXPECT_EQ(split_message("1:nolocation").error(), message_defect::no_location);
  EXPECT_EQ(split_message("1:a|:b").error(), message_defect::no_location);
  EXPECT_EQ(split_message("1:a:")->text, "");
  EXPECT_EQ(split_message(std::string_view("1:loc:one\0two", 13))->text, "one");
  EXPECT_EQ(split_message("1:" + std::string(9000, 'l') + ":x")->location.size(), 8450u);
}

struct row {
  const char* id;
  const char* location;
  const char* agent_id;
  const char* hostname; ///< that rules see, for a log that names `host`
  const char* agent_name;
  const char* agent_ip;
  const char* shown;
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.location; }

std::optional<std::string> optional_text(const char* text) {
  if (!text) return std::nullopt;
  return text;
}

class LocationExamples : public ::testing::TestWithParam<row> {};

TEST_P(LocationExamples, SplitAsSpecified) {
  auto parts = split_location(GetParam().location);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->agent_id, GetParam().agent_id);
  EXPECT_EQ(parts->agent_name, optional_text(GetParam().agent_name));
  EXPECT_EQ(parts->agent_ip, optional_text(GetParam().agent_ip));
  EXPECT_EQ(parts->alert_location, optional_text(GetParam().shown));
  auto made = make_source(GetParam().location, "vm.example");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->from_agent ? made->agent_name : "host", GetParam().hostname);
}

// decoders.md 3.6; a null agent name is the manager's, or none for agents
INSTANTIATE_TEST_SUITE_P(
    Specification, LocationExamples,
    ::testing::Values(row{"Q01", "/var/log/x", "000", "host", nullptr, nullptr, "/var/log/x"},
                      row{"Q03", "[001] (ag1) 10.0.0.1->/var/log/auth.log", "001", "ag1", "ag1", "10.0.0.1",
                          "/var/log/auth.log"},
                      row{"Q04", "[001] (ag1) any->/var/log/auth.log", "001", "ag1", "ag1", nullptr,
                          "/var/log/auth.log"},
                      row{"Q05", "[001] (ag.b c) any->x:y|z", "001", "ag.b c", "ag.b c", nullptr, "x:y|z"},
                      row{"Q06", "[001] ag1->/var/log", "001", "", nullptr, nullptr, "ag1->/var/log"},
                      row{"Q07", "[001]", "001", "", nullptr, nullptr, ""},
                      row{"Q09", "[001](ag1) any->/x", "001", "", nullptr, nullptr, "ag1) any->/x"},
                      row{"Q10", "[001] (ag1", "001", "", "", nullptr, nullptr},
                      row{"Q11", "[] (x) any->y", "", "x", "x", nullptr, "y"},
                      row{"Q12", "(ag) 1.2.3.4->/x", "000", "host", nullptr, "1.2.3.4", "/x"}),
    [](const auto& each) { return std::string(each.param.id); });

TEST(SplitLocation, NeedsTheClosingBracket) {
  EXPECT_EQ(split_location("[001").error(), message_defect::open_agent);
  EXPECT_FALSE(make_source("[001", "vm"));
}

TEST(MakeAgentSource, RulesSeeTheRegisteredAddress) {
  auto made = make_agent_source("007", "web-01", "any", "/var/log/auth.log", "vm");
  EXPECT_TRUE(made.from_agent);
  EXPECT_EQ(made.rule_location, "(web-01) any->/var/log/auth.log");
  EXPECT_EQ(made.location, "/var/log/auth.log");
  EXPECT_EQ(made.agent_ip, "");
  EXPECT_EQ(make_agent_source("007", "web-01", "192.0.2.7", "/x", "vm").agent_ip, "192.0.2.7");
}

TEST(ShortName, EndsAtTheFirstDot) {
  EXPECT_EQ(short_name("vm.example.org"), "vm");
  EXPECT_EQ(short_name("vm"), "vm");
}

} // namespace
} // namespace picket::engine
