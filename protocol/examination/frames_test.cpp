#include "protocol/examination/frames.hpp"

#include <gtest/gtest.h>

namespace picket::protocol::examination {
namespace {

request sample() {
  request what;
  what.ruleset_dir = "/etc/picket/ruleset";
  what.alert_level = 5;
  what.email_alert_level = -1;
  what.archives_json = true;
  what.manager_name = "mgr-01";
  what.node_name = "n1";
  what.batch = {7, 3, 1ULL << 40U};
  what.first = 1;
  what.agents = {{1, "web-01", "key", "any", "192.0.2.7", {{"site", "lab", true}}},
                 {2, "db", "k2", "any", "", {}}};
  what.records = {{1, record_form::sealed, 1'700'000'000'000, std::string("\0\xff#AES:", 7)},
                  {2, record_form::message, 5, "1:/x:y"},
                  {0, record_form::none, 0, ""}};
  return what;
}

std::string_view body_of(const std::string& frame) { return std::string_view{frame}.substr(4); }

TEST(ExaminationFrames, ARequestGoesThereAndBack) {
  auto bytes = encode(sample());
  auto read = decode_request(body_of(bytes));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, sample());
}

TEST(ExaminationFrames, AStepGoesThereAndBack) {
  for (auto kind : {step_kind::ready, step_kind::begun, step_kind::opened, step_kind::died,
                    step_kind::finished, step_kind::failed}) {
    step what{kind, 65'535, std::string("any \0 bytes \xfe", 13)};
    auto bytes = encode(what);
    auto read = decode_step(body_of(bytes));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(*read, what);
  }
}

TEST(ExaminationFrames, WhatIsNoRequestOrStepIsAnError) {
  EXPECT_FALSE(decode_request(""));
  EXPECT_FALSE(decode_request("\xc0"));
  auto bytes = encode(sample());
  EXPECT_FALSE(decode_request(body_of(bytes).substr(0, bytes.size() - 5)));
  EXPECT_FALSE(decode_step(body_of(bytes))) << "a request is no step";
  auto wrong = encode(step{static_cast<step_kind>(6), 0, {}});
  EXPECT_FALSE(decode_step(body_of(wrong)));
  auto odd = sample();
  odd.records[0].form = static_cast<record_form>(3);
  auto odd_bytes = encode(odd);
  EXPECT_FALSE(decode_request(body_of(odd_bytes)));
}

TEST(ExaminationFrames, FramesAreCutWhateverThePieces) {
  auto stream = encode(step{step_kind::begun, 1, {}}) + encode(step{step_kind::opened, 1, "1:/x:y"});
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    frame_cutter cutter{max_step_bytes};
    std::vector<step> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      cutter.feed(stream.substr(at, piece));
      for (auto body = cutter.next(); body && !body->empty(); body = cutter.next())
        seen.push_back(decode_step(*body).value());
    }
    ASSERT_EQ(seen.size(), 2u) << "in pieces of " << piece;
    EXPECT_EQ(seen[1].text, "1:/x:y");
  }
}

TEST(ExaminationFrames, AFrameThatIsEmptyOrTooLongIsAnError) {
  frame_cutter cutter{10};
  cutter.feed(std::string("\0\0\0\0", 4));
  EXPECT_FALSE(cutter.next());
  frame_cutter other{10};
  other.feed(std::string("\x0b\0\0\0", 4));
  EXPECT_FALSE(other.next()) << "before its bytes are waited for";
}

} // namespace
} // namespace picket::protocol::examination
