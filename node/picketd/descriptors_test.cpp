#include "node/picketd/descriptors.hpp"

#include <gtest/gtest.h>

namespace picket {
namespace {

config::settings limits(std::int64_t connections, std::int64_t exchanges) {
  config::settings settings;
  settings.ingest.max_connections = connections;
  settings.enrollment.max_exchanges = exchanges;
  return settings;
}

TEST(Descriptors, EnoughOfThemChangeNothing) {
  auto settings = limits(20'000, 1'000);
  EXPECT_FALSE(fit_to_descriptors(settings, 65'536));
  EXPECT_EQ(settings.ingest.max_connections, 20'000);
  EXPECT_EQ(settings.enrollment.max_exchanges, 1'000);
}

TEST(Descriptors, TooFewLowerTheLimitsSoThatOthersHaveTheirs) {
  for (std::int64_t descriptors : {20'000, 4'096, 1'024, 256, 100}) {
    auto settings = limits(20'000, 1'000);
    EXPECT_TRUE(fit_to_descriptors(settings, descriptors));
    EXPECT_GE(settings.ingest.max_connections, 1) << descriptors;
    EXPECT_GE(settings.enrollment.max_exchanges, 1) << descriptors;
    EXPECT_LE(settings.ingest.max_connections + settings.enrollment.max_exchanges,
              std::max<std::int64_t>(2, descriptors * 7 / 8 - 512));
  }
}

TEST(Descriptors, AFewEnrollmentsAreNotRaised) {
  auto settings = limits(20'000, 10);
  EXPECT_TRUE(fit_to_descriptors(settings, 1'024));
  EXPECT_EQ(settings.enrollment.max_exchanges, 10);
  EXPECT_EQ(settings.ingest.max_connections, 896 - 512 - 10);
}

} // namespace
} // namespace picket
