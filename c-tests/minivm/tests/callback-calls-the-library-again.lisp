; A freeze hook is user code: it may share, assign, collect and start ractors itself.
(defrecord outer inner log)
(defconst LOG-LINES ["line"])
(on-freeze 'outer
  (lambda (object)
    (make-shareable (outer-inner object))
    (defconst DURING-HOOK ["assigned by the hook"])
    (gc)
    (set-outer-log! object (list (take (ractor LOG-LINES)) (state (outer-inner object))))))
(define object (make-shareable (make-outer ["inner"] nil)))
(assert-equal 'C (state object))
(assert-equal '(["line"] C) (outer-log object))
(assert-equal ["assigned by the hook"] (take (ractor DURING-HOOK)))
