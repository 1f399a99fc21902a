evcat store/nowhere
