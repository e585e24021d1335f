"""Import tasks: they bring the data of an image from elsewhere into its stores."""
