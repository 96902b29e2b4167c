# Reference values of R's package `survival`, written beside this file.
#
#   Rscript survival.R            (R >= 4.2, survival >= 3.4)
#
# Data sets of the package: lung (Loprinzi et al. 1994), mgus2 (Kyle et al. 2002), veteran
# (Kalbfleisch & Prentice 1980). Three files come out:
#   r_data.csv       what goes in: units per data set, group, time and status (0: still waiting)
#   r_curves.csv     estimate, standard error and limits at every time
#   r_summary.csv    quantiles with limits, and restricted means with standard errors
library(survival)
options(digits = 17)

counted <- function(name, group, time, status) {
  whole <- as.data.frame(table(time = time, status = status), stringsAsFactors = FALSE)
  whole <- whole[whole$Freq > 0, ]
  data.frame(data = name, group = group, time = as.numeric(whole$time),
             status = as.integer(whole$status), units = whole$Freq)
}

number <- function(x) format(x, digits = 17, scientific = TRUE)

curve_rows <- function(name, group, cause, transform, time, estimate, se, low, high) {
  data.frame(data = name, group = group, cause = cause, transform = transform, time = number(time),
             estimate = number(estimate), se = number(se), low = number(low), high = number(high))
}

one_cause <- function(name, group, time, status, horizon) {
  curves <- NULL; summaries <- NULL
  for (transform in c("log-log", "log")) {
    fit <- survfit(Surv(time, status) ~ 1, conf.type = transform)
    # summary() gives standard errors of the curve itself, not of its logarithm.
    at <- summary(fit, times = fit$time)
    curves <- rbind(curves, curve_rows(name, group, 0, transform, at$time, at$surv, at$std.err, at$lower, at$upper))
    q <- quantile(fit, probs = c(0.1, 0.25, 0.5, 0.75, 0.9))
    summaries <- rbind(summaries, data.frame(data = name, group = group, what = "quantile", transform = transform,
      at = c(0.1, 0.25, 0.5, 0.75, 0.9), value = number(q$quantile), se = "NA",
      low = number(q$lower), high = number(q$upper)))
  }
  fit <- survfit(Surv(time, status) ~ 1)
  for (tau in horizon) {
    mean <- summary(fit, rmean = tau)$table
    summaries <- rbind(summaries, data.frame(data = name, group = group, what = "restricted_mean", transform = "none",
      at = tau, value = number(mean[["rmean"]]), se = number(mean[["se(rmean)"]]), low = "NA", high = "NA"))
  }
  list(data = counted(name, group, time, status), curves = curves, summaries = summaries)
}

competing <- function(name, group, time, status) {
  event <- factor(status, 0:2, c("waiting", "first", "second"))
  curves <- NULL
  for (transform in c("log-log", "log")) {
    fit <- survfit(Surv(time, event) ~ 1, conf.type = transform)
    for (cause in 1:2) {
      curves <- rbind(curves, curve_rows(name, group, cause, transform, fit$time, fit$pstate[, cause + 1],
        fit$std.err[, cause + 1], fit$lower[, cause + 1], fit$upper[, cause + 1]))
    }
  }
  list(data = counted(name, group, time, status), curves = curves, summaries = NULL)
}

parts <- list(one_cause("lung", "all", lung$time, lung$status - 1, c(180, 365, 1000)),
              one_cause("veteran", "all", veteran$time, veteran$status, c(90, 500)))
for (sex in 1:2) {
  own <- lung[lung$sex == sex, ]
  parts <- c(parts, list(one_cause("lung", c("men", "women")[sex], own$time, own$status - 1, 365)))
}
plasma <- ifelse(mgus2$pstat == 1, mgus2$ptime, mgus2$futime)
cause <- ifelse(mgus2$pstat == 1, 1, 2 * mgus2$death)
parts <- c(parts, list(competing("mgus2", "all", plasma, cause)))
for (sex in c("F", "M")) {
  own <- mgus2$sex == sex
  parts <- c(parts, list(competing("mgus2", sex, plasma[own], cause[own])))
}

save <- function(what, file) {
  write.csv(do.call(rbind, lapply(parts, `[[`, what)), file, row.names = FALSE, quote = FALSE)
}
save("data", "r_data.csv")
save("curves", "r_curves.csv")
save("summaries", "r_summary.csv")
