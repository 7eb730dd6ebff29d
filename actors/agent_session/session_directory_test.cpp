#include "actors/agent_session/session_directory.hpp"

#include <gtest/gtest.h>

#include "actors/testing/bare_link.hpp"

namespace picket {
namespace {

class SessionDirectory : public ::testing::Test {
protected:
  testing::bare_link& connect(agent_id agent) {
    links.push_back(std::make_unique<testing::bare_link>(directory.anchor(agent)));
    directory.bind(links.back()->link, {});
    return *links.back();
  }
  static bool even(agent_id agent) { return agent % 2 == 0; }

  session_directory directory;
  std::vector<std::unique_ptr<testing::bare_link>> links;
};

TEST_F(SessionDirectory, ASessionEndsWhenItsConnectionHasAndNothingOfItWaits) {
  auto& link = *connect(7).link;
  EXPECT_FALSE(link.take_end()) << "it is open";
  link.taken_batch = 5;
  link.mark_ended();
  EXPECT_TRUE(link.waits());
  EXPECT_FALSE(link.take_end());
  link.opened_up_to(4);
  EXPECT_FALSE(link.take_end()) << "an earlier batch";
  link.opened_up_to(5);
  link.opened_up_to(3);
  EXPECT_FALSE(link.waits());
  EXPECT_TRUE(link.take_end());
  EXPECT_FALSE(link.take_end()) << "once";
}

TEST_F(SessionDirectory, ABatchThatIsLostHoldsNobodyUp) {
  auto& gone = *connect(2).link;
  auto& open = *connect(4).link;
  auto& later = *connect(6).link;
  auto& other = *connect(3).link;
  for (auto* link : {&gone, &open, &other})
    link->taken_batch = 9;
  later.taken_batch = 10;
  for (auto* link : {&gone, &later, &other})
    link->mark_ended();
  EXPECT_EQ(directory.lose_batch(9, even).size(), 1u);
  EXPECT_FALSE(directory.by_token(gone.token()));
  EXPECT_FALSE(open.waits()) << "it is acknowledged and timed again as if nothing had been there";
  EXPECT_TRUE(directory.by_token(open.token()));
  EXPECT_TRUE(later.waits()) << "a further batch has records of it";
  EXPECT_TRUE(other.waits()) << "of another shard";
  EXPECT_EQ(directory.size(), 3u);
}

TEST_F(SessionDirectory, LetsGoOfEverybodyAtTheEnd) {
  connect(1);
  connect(2);
  EXPECT_EQ(directory.clear().size(), 2u);
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(SessionDirectory, AMessageThatFindsNoRoomInTheBufferIsCounted) {
  net::connection_options small;
  small.write_limit_bytes = 16;
  testing::bare_link with{directory.anchor(1), small};
  auto counts = std::make_shared<metrics>();
  with.link->counts = counts;
  with.link->send("#!-agent ack ");
  with.settle();
  EXPECT_EQ(counts->session_dropped_messages_total.value(), 1);
}

} // namespace
} // namespace picket
